package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/stormwheel/stormwheel/messaging/talk"
)

// chatEvent is one thing that connect --chat tells: a line for people, or with --json an object on a line.
// What a field does not apply to does not have it.
type chatEvent struct {
	Event    string   `json:"event"`
	Time     string   `json:"time"`           // when it was told here
	User     string   `json:"user,omitempty"` // who sent it, or to whom it was sent
	Room     string   `json:"room,omitempty"`
	Number   uint64   `json:"number,omitempty"` // of outcome and receipt: the message's
	Device   string   `json:"device,omitempty"` // of message and publication: the client id that sent it
	Text     string   `json:"text,omitempty"`
	Base64   []byte   `json:"content_base64,omitempty"` // in place of Text, if that is no UTF-8
	Message  *named   `json:"message,omitempty"`
	State    string   `json:"state,omitempty"` // of outcome: delivered, durable, held, taken, refused, unknown; of receipt: delivered, refused, expired
	Code     int      `json:"code,omitempty"`
	Reason   string   `json:"reason,omitempty"`
	Sent     string   `json:"sent,omitempty"`   // when its sender sent it, by that one's clock
	Taken    string   `json:"taken,omitempty"`  // when the node took it
	Epoch    string   `json:"epoch,omitempty"`  // of publication: the room's
	Offset   uint64   `json:"offset,omitempty"` // of publication: its place in the room
	At       string   `json:"at,omitempty"`     // deliver not before
	Known    bool     `json:"possibly_known,omitempty"`
	Earlier  bool     `json:"earlier,omitempty"` // of receipt: for a message of an earlier run
	Names    []string `json:"names,omitempty"`
	Count    uint64   `json:"count,omitempty"` // of page and joined: how many in all; of missed: 0 if nobody knows
	More     bool     `json:"more,omitempty"`  // of page: :more shows the next
	Node     string   `json:"node,omitempty"`
	Endpoint string   `json:"endpoint,omitempty"`
	Session  string   `json:"session,omitempty"`
}

// named names a message as package messaging/web does.
type named struct {
	Sender      string `json:"sender"`
	Incarnation string `json:"incarnation"` // 16 hexadecimal digits
	Number      uint64 `json:"number"`
}

func nameOf(id talk.ID) *named {
	return &named{id.Sender, fmt.Sprintf("%016x", id.Incarnation), id.Number}
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05.000Z")
}

// emit shows an event.
func (c *chat) emit(e chatEvent) {
	if c.json {
		e.Time = stamp(c.term.now())
		if !utf8.ValidString(e.Text) {
			e.Text, e.Base64 = "", []byte(e.Text)
		}
		line, err := json.Marshal(e)
		if err != nil {
			panic(err) // no field can fail
		}
		c.term.print("%s", escapeJSON(line))
		return
	}
	c.term.print("%s", e.words(c.term.now()))
}

// note tells something that is no event of the conversation.
func (c *chat) note(format string, args ...any) {
	c.emit(chatEvent{Event: "note", Text: fmt.Sprintf(format, args...)})
}

// words is the event for people. What others wrote is cleaned.
func (e *chatEvent) words(now time.Time) string {
	at := now.Format(time.TimeOnly)
	if said := cmp.Or(e.Taken, e.Sent); said != "" { // the node's clock is the one that all share
		at = clock(said, now)
	}
	user, room, text, reason := clean(e.User), clean(e.Room), clean(e.Text), clean(e.Reason)
	switch e.Event {
	case "message":
		return fmt.Sprintf("%s %s: %s", at, user, text)
	case "publication":
		return fmt.Sprintf("%s [%s] %s: %s", at, room, user, text)
	case "outcome", "receipt":
		return e.ticks(now)
	case "joined":
		there := fmt.Sprintf("%d are there", e.Count)
		switch e.Count {
		case 0: // the node does not say
			return fmt.Sprintf("%s * joined [%s]", at, room)
		case 1:
			there = "nobody else is there"
		}
		return fmt.Sprintf("%s * joined [%s], %s", at, room, there)
	case "missed":
		if e.Count == 0 {
			return fmt.Sprintf("%s * [%s] missed messages; nobody knows how many", at, room)
		}
		return fmt.Sprintf("%s * [%s] missed %d messages", at, room, e.Count)
	case "left":
		return fmt.Sprintf("%s * not in [%s]: %s", at, room, reason)
	case "error":
		return fmt.Sprintf("%s ! %s", at, reason)
	case "page", "rooms":
		return e.list()
	case "found":
		return "  " + text
	default:
		return fmt.Sprintf("%s * %s", at, text)
	}
}

// marks of what became of a message: two ticks at a device, one on the node's disk, a dot in its memory.
var marks = map[string]string{"delivered": "✓✓", "durable": "✓", "held": "·", "taken": "·", "refused": "✗", "expired": "✗", "unknown": "?"}

func (e *chatEvent) ticks(now time.Time) string {
	who := clean(e.User)
	if e.Room != "" {
		who = "[" + clean(e.Room) + "]"
	}
	text := []rune(clean(e.Text))
	if len(text) > 40 {
		text = append(text[:39], '…')
	}
	line := fmt.Sprintf("  %s %s: %s", marks[e.State], who, string(text))
	switch {
	case e.Earlier:
		line = fmt.Sprintf("  %s %s: an earlier message", marks[e.State], who)
	case e.Event == "outcome" && e.At != "":
		line += " (to be delivered at " + clock(e.At, now) + ")"
	}
	if e.State != "delivered" && e.State != "durable" && e.State != "taken" {
		line += " (" + e.State
		if e.Reason != "" {
			line += ": " + clean(e.Reason)
		}
		line += ")"
	}
	return line
}

// clock is a stamp for people: the time where they are, with its day if that is another.
func clock(stamp string, now time.Time) string {
	at, err := time.Parse(time.RFC3339, stamp)
	if err != nil {
		return stamp
	}
	at = at.In(now.Location())
	if at.Format(time.DateOnly) == now.Format(time.DateOnly) {
		return at.Format(time.TimeOnly)
	}
	return at.Format(time.DateTime)
}

func (e *chatEvent) list() string {
	names := make([]string, len(e.Names))
	for i, name := range e.Names {
		if names[i] = clean(name); strings.Contains(name, " ") { // a room may have some
			names[i] = `"` + names[i] + `"`
		}
	}
	line := "  " + strings.Join(names, " ")
	switch {
	case len(names) == 0:
		line = "  nobody"
		if e.Event == "rooms" {
			line = "  none"
		}
	case e.More:
		line += fmt.Sprintf(" ... of %d; :more shows the next", e.Count)
	}
	return line
}

// clean escapes what could drive a terminal or turn its text around. The joiner of emoji stays.
func clean(s string) string {
	var b strings.Builder
	for i, r := range s {
		_, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case unicode.IsPrint(r) || r == '\u200d':
			b.WriteRune(r)
		default:
			b.WriteString(strings.Trim(strconv.QuoteRune(r), "'"))
		}
	}
	return b.String()
}

// escapeJSON escapes what clean does, within an object.
func escapeJSON(line []byte) string {
	var b strings.Builder
	for _, r := range string(line) {
		switch {
		case unicode.IsPrint(r) || r == '\u200d':
			b.WriteRune(r)
		case r <= 0xffff:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		}
	}
	return b.String()
}
