package envelope

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

// docs/MESSAGING.md is the contract with clients in other languages; these tests hold the page and the
// code to each other.

func messagingPage(t *testing.T) string {
	t.Helper()
	page, err := os.ReadFile("../../docs/MESSAGING.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(page)
}

// wantTable wants the page to have a table of these rows below this head.
func wantTable(t *testing.T, head string, rows []string) {
	t.Helper()
	want := head + "\n" + strings.Repeat("|---", strings.Count(head, "|")-1) + "|\n" + strings.Join(rows, "\n") + "\n\n"
	if !strings.Contains(messagingPage(t), want) {
		t.Errorf("MESSAGING.md should have the table\n%s", want)
	}
}

func names(s fieldSet) string {
	var all []string
	for f := range fieldRules {
		if s.has(field(f)) {
			all = append(all, fieldRules[f].name)
		}
	}
	return strings.Join(all, ", ")
}

func TestPageListsEveryKind(t *testing.T) {
	var rows []string
	for k := range kinds {
		by, rule := "client", kindRules[k]
		if k >= Message {
			by = "node"
		}
		must, content := names(rule.must), ""
		if k == Watch || k == Unwatch {
			must, rule.may = "user or room", 0
		}
		if rule.content {
			content = "yes"
		}
		rows = append(rows, fmt.Sprintf("| %d | %s | %s | %s | %s | %s |", k, k, by, must, names(rule.may), content))
	}
	wantTable(t, "| kind | name | sent by | must have | may have | content |", rows)
}

func TestPageListsEveryField(t *testing.T) {
	page := messagingPage(t)
	for f, rule := range fieldRules {
		if rule.name == "" {
			continue
		}
		size := strconv.Itoa(rule.min)
		if rule.min != rule.max {
			size = fmt.Sprintf("%d to %d", rule.min, rule.max)
		}
		if row := fmt.Sprintf("\n| %d | %s | %s | ", f, rule.name, size); !strings.Contains(page, row) {
			t.Errorf("MESSAGING.md should have a row%q", row)
		}
	}
	_, table, _ := strings.Cut(page, "| type | field | bytes | value |\n|---|---|---|---|\n")
	table, _, _ = strings.Cut(table, "\n\n")
	if got := strings.Count(table, "\n") + 1; got != len(fieldRules)-1 {
		t.Errorf("MESSAGING.md lists %d fields, the code has %d", got, len(fieldRules)-1)
	}
}

func TestPageListsEveryCode(t *testing.T) {
	var rows []string
	for _, c := range CodeNames {
		rows = append(rows, fmt.Sprintf("| %d | %s | %s |", c.Code, c.Name, c.Meaning))
	}
	wantTable(t, "| code | name | meaning |", rows)
}

func TestPageListsEveryWord(t *testing.T) {
	page := messagingPage(t)
	for _, sentence := range []string{
		fmt.Sprintf("ACK's word: %d taken, %d delivered, %d durable, %d held", AckTaken, AckDelivered, AckDurable, AckHeld),
		fmt.Sprintf("receipt: %d delivered, %d refused, %d expired", Delivered, Refused, Expired),
		fmt.Sprintf("joined: %d fresh, %d recovered, %d missed", Fresh, Recovered, Missed),
		fmt.Sprintf("presence: %d online, %d offline", Online, Offline),
		fmt.Sprintf("question: %d online users, %d room members, %d user's devices", OnlineUsers, RoomMembers, UserDevices),
		fmt.Sprintf("version, %d |", Version), fmt.Sprintf("flags: %d = possibly known", PossiblyKnown),
		fmt.Sprintf("%d ms", int64(MaxTime)),
	} {
		if !strings.Contains(page, sentence) {
			t.Errorf("MESSAGING.md does not say %q", sentence)
		}
	}
}

// blocks are what stands on the page between fences of a kind.
func blocks(t *testing.T, kind string) (all []string) {
	t.Helper()
	for _, block := range strings.Split(messagingPage(t), "```"+kind+"\n")[1:] {
		text, _, closed := strings.Cut(block, "```")
		if !closed {
			t.Fatalf("a block of kind %q does not end", kind)
		}
		all = append(all, text)
	}
	if len(all) == 0 {
		t.Fatalf("MESSAGING.md has nothing of kind %q", kind)
	}
	return all
}

// parseExample returns the bytes before each # and the "name = value" pairs after it.
func parseExample(t *testing.T, text string) (body []byte, named []string) {
	t.Helper()
	for line := range strings.Lines(text) {
		digits, comment, _ := strings.Cut(line, "#")
		b, err := hex.DecodeString(strings.Join(strings.Fields(digits), ""))
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		body = append(body, b...)
		for pair := range strings.SplitSeq(comment, ", ") {
			if pair = strings.TrimSpace(pair); pair != "" {
				named = append(named, pair)
			}
		}
	}
	return body, named
}

// TestPageExamples: an example's bytes say what stands beside them, and what stands there encodes to them.
func TestPageExamples(t *testing.T) {
	seen := make(map[Kind]bool)
	for i, text := range blocks(t, "hex") {
		body, named := parseExample(t, text)
		e, err := Parse(body)
		if err != nil {
			t.Errorf("example %d: %v", i, err)
			continue
		}
		seen[e.Kind] = true
		if got, want := strings.Join(describe(&e), "\n"), strings.Join(named, "\n"); got != want {
			t.Errorf("example %d says\n%s\nbut its bytes say\n%s", i, want, got)
		}
		if again, err := Append(nil, &e); err != nil || !bytes.Equal(again, body) {
			t.Errorf("example %d has the bytes\n% x\nbut what it says encodes to\n% x, %v", i, body, again, err)
		}
	}
	for k := range kinds {
		if !seen[k] {
			t.Errorf("MESSAGING.md has no example of %v", k)
		}
	}
}

// TestPageOddities: what the page calls accepted is accepted, and says what the page says.
func TestPageOddities(t *testing.T) {
	for i, text := range blocks(t, "odd") {
		body, named := parseExample(t, text)
		e, err := Parse(body)
		if err != nil {
			t.Errorf("oddity %d: %v", i, err)
			continue
		}
		got := strings.Join(describe(&e), "\n") + "\n"
		for _, pair := range named {
			if strings.Contains(pair, " = ") && !strings.Contains(got, pair+"\n") {
				t.Errorf("oddity %d says %q, but its bytes say\n%s", i, pair, got)
			}
		}
	}
}

// TestPageRefusals: what the page calls refused is refused, for that reason.
func TestPageRefusals(t *testing.T) {
	for i, text := range blocks(t, "refused") {
		body, _ := parseExample(t, text)
		why := strings.TrimSpace(text[strings.LastIndex(text, "#")+1:])
		_, err := Parse(body)
		if err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("refusal %d: %v; the page says %q", i, err, why)
		}
		for _, known := range []error{ErrVersion, ErrKind, ErrTruncated, ErrField} {
			if errors.Is(err, known) {
				err = nil
			}
		}
		if err != nil {
			t.Errorf("refusal %d: %v wraps no error of this package", i, err)
		}
	}
}

// describe spells an envelope as the page does.
func describe(e *Envelope) (out []string) {
	say := func(name string, value any, is bool) {
		if is {
			out = append(out, fmt.Sprintf("%s = %v", name, value))
		}
	}
	text := func(name string, v []byte) { say(name, string(v), len(v) > 0) }
	at := func(name string, t time.Time) { say(name, t.UTC().Format("2006-01-02T15:04:05.000Z"), !t.IsZero()) }
	say("kind", e.Kind, true)
	say("flags", uint8(e.Flags), true)
	text("user", e.User)
	text("room", e.Room)
	if len(e.ID.Sender) > 0 {
		say("incarnation", fmt.Sprintf("%016x", e.ID.Incarnation), true)
		say("number", e.ID.Number, true)
		text("sender", e.ID.Sender)
	}
	if e.Position != (Position{}) {
		say("epoch", fmt.Sprintf("%016x", e.Position.Epoch), true)
		say("offset", e.Position.Offset, true)
	}
	at("time", e.Time)
	at("taken", e.Taken)
	at("at", e.At)
	say("life_ms", e.Life.Milliseconds(), e.Life > 0)
	say("state", uint8(e.State), e.State > 0)
	say("code", uint16(e.Code), e.Code != codec.NackCode(0))
	text("reason", e.Reason)
	text("device", e.Device)
	say("stamp", fmt.Sprintf("%016x", e.Stamp), e.Stamp > 0)
	say("question", uint8(e.Question), e.Question > 0)
	text("prefix", e.Prefix)
	text("after", e.After)
	say("limit", e.Limit, e.Limit > 0)
	say("count", e.Count, e.Count > 0)
	if e.Kind == Page {
		for name := range Names(e.Content) {
			text("name", name)
		}
	} else {
		text("content", e.Content)
	}
	return out
}
