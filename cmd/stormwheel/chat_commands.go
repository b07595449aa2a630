package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/stormwheel/stormwheel/client"
	"github.com/stormwheel/stormwheel/messaging/envelope"
	"github.com/stormwheel/stormwheel/messaging/talk"
)

// Ends of the input.
var (
	errLeft       = errors.New("left")         // once all is settled
	errLeftAtOnce = errors.New("left at once") // whatever waits
)

// chatCommand is what a line that begins with ":" does.
type chatCommand struct {
	name, args, help string
	do               func(c *chat, ctx context.Context, rest string) error
}

var chatCommands []chatCommand // by init: :all lists them

func init() {
	chatCommands = []chatCommand{
		{":all", "", "all commands", (*chat).showAll},
		{":to", "USER [text]", "send text to a user; alone: what you type goes there", (*chat).sendTo},
		{":join", "ROOM", "join a room, the rest of the line; what you type goes there", (*chat).joinRoom},
		{":leave", "[ROOM]", "leave a room, or the present one", (*chat).leaveRoom},
		{":rooms", "", "the rooms that you are in", (*chat).showRooms},
		{":who", "[ROOM]", "who is in a room, or in the present one", (*chat).showMembers},
		{":olu", "", "who is online, at a node with --open-presence", (*chat).showOnline},
		{":pu", "PREFIX", "who is online, of those whose names begin so, at such a node", (*chat).findUsers},
		{":more", "", "the next page of the latest list", (*chat).showMore},
		{":delay", "30s text", "send text to the present user, to be delivered after that time", (*chat).sendLater},
		{":away", "[text]", "answer whoever writes to you with text, once each; alone: you are back", (*chat).goAway},
		{":emoji", "", "the names of emoji; :name: within a text becomes one", (*chat).showEmoji},
		{":info", "", "the state of the connection", (*chat).showInfo},
		{":q", "WORD", "search the history; alone: leave when all is settled", (*chat).leaveOrSearch},
		{":q!", "", "leave at once", func(*chat, context.Context, string) error { return errLeftAtOnce }},
	}
}

// chatHelp is the list of commands.
func chatHelp() (lines []string) {
	for _, cmd := range chatCommands {
		lines = append(lines, fmt.Sprintf("%-16s %s", strings.TrimSpace(cmd.name+" "+cmd.args), cmd.help))
	}
	return lines
}

// handle does one line.
func (c *chat) handle(ctx context.Context, line string) error {
	line = strings.TrimRightFunc(line, unicode.IsSpace)
	if line == "" {
		return nil
	}
	word, rest, _ := strings.Cut(line, " ")
	if !strings.HasPrefix(line, ":") || isEmoji(word) {
		c.mu.Lock()
		to := c.to
		c.mu.Unlock()
		return c.say(ctx, outgoing{place: to, text: line})
	}
	for _, cmd := range chatCommands {
		if cmd.name == word {
			return cmd.do(c, ctx, strings.TrimSpace(rest))
		}
	}
	return fmt.Errorf("there is no %s; :all lists the commands", clean(word))
}

// say gives a message to the sender. A pipe waits for room, a terminal is told.
func (c *chat) say(ctx context.Context, m outgoing) error {
	if m.place == (place{}) {
		return errors.New("nobody to talk to: :to USER or :join ROOM")
	}
	m.text = withEmoji(m.text)
	c.term.typed.Add(1)
	select {
	case c.queue <- m:
	default:
		if c.input.interactive() {
			c.term.typed.Add(-1)
			return errors.New("not sent: too many messages wait")
		}
		if err := c.waitForRoom(ctx, m); err != nil {
			return err
		}
	}
	c.past.add(time.Now(), "> "+m.user, m.room, m.text)
	return nil
}

// waitForRoom does not wait for ever before there ever was a session.
func (c *chat) waitForRoom(ctx context.Context, m outgoing) error {
	giveUp := time.NewTimer(drainTime)
	defer giveUp.Stop()
	for {
		select {
		case c.queue <- m:
			return nil
		case <-ctx.Done():
			return errLeftAtOnce
		case <-giveUp.C:
			if i := c.talk.Client().Info(); i.Sessions == 0 {
				return &chatError{exitNoSession, neverConnected(i)}
			}
		}
	}
}

// checkName refuses what no command could name again.
func checkName(what, name string) error {
	switch {
	case name == "":
		return fmt.Errorf("which %s?", what)
	case len(name) > envelope.MaxUser || !utf8.ValidString(name) || strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) || r == ' ' && what == "user" }):
		return fmt.Errorf("%q is no name of a %s", name, what)
	case what == "user" && strings.Contains(name, "/"):
		return fmt.Errorf("%q is a device; a user's name has no /", name)
	}
	return nil
}

func (c *chat) showAll(context.Context, string) error {
	for _, line := range chatHelp() {
		c.emit(chatEvent{Event: "found", Text: line})
	}
	return nil
}

func (c *chat) sendTo(ctx context.Context, rest string) error {
	user, text, _ := strings.Cut(rest, " ")
	if err := checkName("user", user); err != nil {
		return err
	}
	c.heardOf(user)
	if text = strings.TrimSpace(text); text != "" {
		return c.say(ctx, outgoing{place: place{user: user}, text: text})
	}
	c.turnTo(place{user: user})
	return nil
}

// turnTo sets who hears what is typed.
func (c *chat) turnTo(to place) {
	c.mu.Lock()
	c.turn(to)
	c.mu.Unlock()
	c.input.prompt()
}

// turn needs mu, as the next does.
func (c *chat) turn(to place) {
	c.turned = append(slices.DeleteFunc(c.turned, func(p place) bool { return p == to }), to)
	c.turned = c.turned[max(len(c.turned)-maxTurns, 0):]
	c.to = to
}

// turnFrom forgets a place, and turns to the one before.
func (c *chat) turnFrom(gone place) {
	c.turned = slices.DeleteFunc(c.turned, func(p place) bool { return p == gone })
	c.to = place{}
	if n := len(c.turned); n > 0 {
		c.to = c.turned[n-1]
	}
}

func (c *chat) join(room string) {
	c.mu.Lock()
	if _, asked := c.rooms[room]; !asked {
		c.rooms[room] = false
	}
	c.mu.Unlock()
	c.talk.Join(room)
}

// joinRoom has a pipe wait until the room is joined: what comes next in it may need that.
func (c *chat) joinRoom(ctx context.Context, room string) error {
	if err := checkName("room", room); err != nil {
		return err
	}
	c.join(room)
	c.turnTo(place{room: room})
	if !c.input.interactive() && !c.wait(ctx, func(client.Info) bool { return c.inOrOut(room) }) {
		return fmt.Errorf("[%s] was not joined within %v", clean(room), drainTime)
	}
	return nil
}

// inOrOut: the node has answered a join.
func (c *chat) inOrOut(room string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	joined, wanted := c.rooms[room]
	return joined || !wanted
}

// roomOr is the room that is named, or the present one.
func (c *chat) roomOr(name string) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if name == "" {
		name = c.to.room
	}
	return name, checkName("room", name)
}

func (c *chat) leaveRoom(_ context.Context, rest string) error {
	room, err := c.roomOr(rest)
	if err != nil {
		return err
	}
	c.mu.Lock()
	_, wanted := c.rooms[room]
	delete(c.rooms, room)
	c.turnFrom(place{room: room})
	c.mu.Unlock()
	if !wanted {
		return fmt.Errorf("you are not in [%s]", clean(room))
	}
	c.talk.Leave(room)
	c.input.prompt()
	c.note("left [%s]", clean(room))
	return nil
}

func (c *chat) showRooms(context.Context, string) error {
	c.mu.Lock()
	rooms := slices.Sorted(maps.Keys(c.rooms))
	c.mu.Unlock()
	c.emit(chatEvent{Event: "rooms", Names: rooms, Count: uint64(len(rooms))})
	return nil
}

// pageSize is how many names are shown at a time.
const pageSize = 50

// page shows a page from behind after on, and remembers how to go on.
func (c *chat) page(ctx context.Context, after string, ask func(ctx context.Context, after string) (talk.Page, error)) error {
	p, err := question(ctx, func(ctx context.Context) (talk.Page, error) { return ask(ctx, after) })
	if err != nil {
		return asked(err)
	}
	c.more = nil
	if p.After != "" {
		c.more = func(ctx context.Context) error { return c.page(ctx, p.After, ask) }
	}
	c.heardOf(p.Names...)
	c.emit(chatEvent{Event: "page", Names: p.Names, Count: p.Count, More: p.After != ""})
	return nil
}

// closedPresence is what a node that does not tell everybody who is online does not say.
const closedPresence = "this node tells only who is in the rooms that you are in (:who): :olu and :pu need serve --open-presence there"

// asked words why a question has no answer.
func asked(err error) error {
	var refused *client.RefusedError
	switch {
	case errors.As(err, &refused):
		return errors.New(refusalWords(talk.Refusal{Code: refused.Code, Reason: refused.Reason}))
	case errors.Is(err, client.ErrNoReply):
		return errors.New(noMessages)
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("no answer within %v", questionTime)
	}
	return err
}

func (c *chat) showOnline(ctx context.Context, _ string) error { return c.online(ctx, "") }

func (c *chat) findUsers(ctx context.Context, prefix string) error {
	if prefix == "" {
		return errors.New("which prefix?")
	}
	return c.online(ctx, prefix)
}

func (c *chat) online(ctx context.Context, prefix string) error {
	return c.page(ctx, "", func(ctx context.Context, after string) (talk.Page, error) {
		p, err := c.talk.Online(ctx, prefix, after, pageSize)
		var refused *client.RefusedError
		if errors.As(err, &refused) && refused.Code == envelope.CodeForbidden && (refused.Reason == "" || refused.Reason == "you may not") { // not a back end's words
			err = errors.New(closedPresence)
		}
		return p, err
	})
}

func (c *chat) showMembers(ctx context.Context, rest string) error {
	room, err := c.roomOr(rest)
	if err != nil {
		return err
	}
	return c.page(ctx, "", func(ctx context.Context, after string) (talk.Page, error) {
		return c.talk.Members(ctx, room, after, pageSize)
	})
}

func (c *chat) showMore(ctx context.Context, _ string) error {
	if c.more == nil {
		return errors.New("there is no more")
	}
	return c.more(ctx)
}

func (c *chat) sendLater(ctx context.Context, rest string) error {
	after, text, _ := strings.Cut(rest, " ")
	text = strings.TrimSpace(text)
	d, err := time.ParseDuration(after)
	c.mu.Lock()
	to := c.to
	c.mu.Unlock()
	switch {
	case err != nil || d <= 0 || text == "":
		return errors.New("as in :delay 30s text")
	case to.room != "":
		return errors.New("a room has no delayed messages: :to USER")
	}
	return c.say(ctx, outgoing{place: to, text: text, at: time.Now().Add(d)})
}

func (c *chat) goAway(_ context.Context, text string) error {
	c.mu.Lock()
	c.away = withEmoji(text)
	clear(c.answered)
	c.mu.Unlock()
	if text == "" {
		c.note("you are back")
	} else {
		c.note("you are away: %s", clean(withEmoji(text)))
	}
	return nil
}

func (c *chat) showEmoji(context.Context, string) error {
	var all []string
	for _, name := range emojiNames {
		all = append(all, emoji[name]+" :"+name+":")
	}
	for line := range slices.Chunk(all, 6) {
		c.emit(chatEvent{Event: "found", Text: strings.Join(line, "  ")})
	}
	return nil
}

func (c *chat) showInfo(context.Context, string) error {
	i := c.talk.Client().Info()
	if !c.json {
		c.term.showInfo(i)
		return nil
	}
	e := chatEvent{Event: "info", State: i.State.String(), Node: i.Node, Endpoint: i.Endpoint, Session: i.Session}
	if i.LastError != nil {
		e.Reason = i.LastError.Error()
	}
	c.emit(e)
	return nil
}

func (c *chat) leaveOrSearch(_ context.Context, word string) error {
	if word == "" {
		return errLeft
	}
	found := c.past.search(word)
	for _, line := range found {
		c.emit(chatEvent{Event: "found", Text: line})
	}
	if len(found) == 0 {
		c.note("%s is not in the history", clean(word))
	}
	return nil
}
