package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/stormwheel/stormwheel/client"
	"github.com/stormwheel/stormwheel/messaging/envelope"
	"github.com/stormwheel/stormwheel/messaging/talk"
)

// What the Talk tells, one at a time.

func (c *chat) message(m *talk.Message) {
	c.term.received.Add(1)
	c.heardOf(m.From)
	c.past.add(m.Taken, m.From, "", string(m.Content))
	c.emit(chatEvent{Event: "message", User: m.From, Device: m.ID.Sender, Text: string(m.Content), Message: nameOf(m.ID),
		Sent: stamp(m.Time), Taken: stamp(m.Taken), Known: m.PossiblyKnown})
	c.answerAway(m.From)
}

// answerAway answers once for each user and absence, so that two who are away do not talk for ever.
func (c *chat) answerAway(user string) {
	c.mu.Lock()
	text := c.away
	if text == "" || c.answered[user] || len(c.answered) >= maxNames {
		c.mu.Unlock()
		return
	}
	c.answered[user] = true
	c.mu.Unlock()
	select {
	case c.queue <- outgoing{place: place{user: user}, text: "(away) " + text}:
		c.term.typed.Add(1)
	default: // he sees that nothing is read
	}
}

func (c *chat) publication(p talk.Publication) {
	c.heardOf(p.From)
	if p.ID.Sender == c.id && !c.json {
		return // it was typed here
	}
	c.term.received.Add(1)
	c.past.add(p.Taken, p.From, p.Room, string(p.Content))
	c.emit(chatEvent{Event: "publication", User: p.From, Device: p.ID.Sender, Room: p.Room, Text: string(p.Content), Message: nameOf(p.ID),
		Sent: stamp(p.Time), Taken: stamp(p.Taken), Epoch: fmt.Sprintf("%016x", p.Position.Epoch), Offset: p.Position.Offset})
}

func (c *chat) joined(j talk.Joined) {
	c.mu.Lock()
	again := c.rooms[j.Room]
	c.rooms[j.Room] = true
	c.mu.Unlock()
	defer c.term.tell()
	if !again || c.json { // after a reconnect the line about that is enough
		c.emit(chatEvent{Event: "joined", Room: j.Room, Count: j.Members})
	}
}

func (c *chat) missed(room string, from, to envelope.Position) {
	e := chatEvent{Event: "missed", Room: room}
	if from.Epoch == to.Epoch {
		e.Count = to.Offset - from.Offset
	}
	c.emit(e)
}

func (c *chat) left(room string, why talk.Refusal) {
	c.mu.Lock()
	delete(c.rooms, room)
	c.turnFrom(place{room: room})
	c.mu.Unlock()
	c.input.prompt()
	c.failed.Add(1)
	c.emit(chatEvent{Event: "left", Room: room, Code: int(why.Code), Reason: refusalWords(why)})
	c.term.tell()
}

// settled may come before the sender knows the number.
func (c *chat) settled(number uint64, o talk.Outcome) {
	c.mu.Lock()
	m, known := c.sent[number]
	if !known {
		c.early[number] = o
	}
	later := o.State == talk.Durable || o.State == talk.Held
	if !later {
		delete(c.sent, number)
	}
	c.mu.Unlock()
	if known {
		c.outcome(number, m, o)
	}
}

// noMessages is what a node without them does not say.
const noMessages = "this node does not carry messages between users (serve --messages)"

// outcome tells what became of a message.
func (c *chat) outcome(number uint64, m outgoing, o talk.Outcome) {
	defer c.term.tell()
	if o.State == talk.Taken && m.room == "" { // nobody but the node has it, which knows no bob
		o = talk.Outcome{State: talk.Unknown, Err: errors.New(noMessages)}
	}
	switch {
	case errors.Is(o.Err, client.ErrClosed): // connect leaves
		return
	case o.State == talk.Refused:
		c.term.refused.Add(1)
	case o.State == talk.Unknown:
		c.lost.Add(1)
	default:
		c.term.acked.Add(1)
	}
	if o.State == talk.Durable || o.State == talk.Held {
		c.mu.Lock()
		for old := range c.sent {
			if len(c.sent) < maxTicks {
				break
			}
			delete(c.sent, old)
		}
		c.sent[number] = m
		c.mu.Unlock()
	}
	e := chatEvent{Event: "outcome", Number: number, User: m.user, Room: m.room, Text: m.text, State: o.State.String(), Code: int(o.Code)}
	switch {
	case o.State == talk.Refused:
		e.Reason = refusalWords(o.Refusal)
	case o.Err != nil:
		e.Reason = o.Err.Error()
	case !m.at.IsZero():
		e.At = stamp(m.at)
	}
	c.emit(e)
}

// receipt is the second tick, or why there is none.
func (c *chat) receipt(r talk.Receipt) {
	e := chatEvent{Event: "receipt", Number: r.ID.Number, User: r.To, State: receiptState(r.State), Code: int(r.Code)}
	if r.State == envelope.Refused {
		e.Reason = refusalWords(r.Refusal)
	}
	if r.ID.Sender == c.id && r.ID.Incarnation == c.talk.Client().Info().Incarnation {
		c.mu.Lock()
		e.Text = c.sent[r.ID.Number].text
		delete(c.sent, r.ID.Number)
		c.mu.Unlock()
	} else {
		e.Earlier = true
	}
	c.emit(e)
}

func receiptState(s envelope.State) string {
	switch s {
	case envelope.Delivered:
		return "delivered"
	case envelope.Refused:
		return "refused"
	default:
		return "expired"
	}
}

// refusalWords words a refusal: the node's words, or what its code means.
func refusalWords(r talk.Refusal) string {
	switch {
	case r.Reason != "" && r.Code == envelope.CodeTryLater:
		return r.Reason + "; try again"
	case r.Reason != "":
		return r.Reason
	}
	for _, known := range envelope.CodeNames {
		if known.Code == r.Code {
			return known.Meaning
		}
	}
	return r.Code.String()
}

// changed tells the story of the connection.
func (c *chat) changed(i client.Info) {
	if refusedForGood(i) {
		c.mu.Lock()
		c.refused = i.LastError
		c.mu.Unlock()
		defer func() { _ = c.talk.Close() }() // always nil
	}
	if !c.json {
		c.term.changed(i)
		return
	}
	c.mu.Lock()
	now := i.State.String() + " " + i.Session
	told := now == c.node
	c.node = now
	c.mu.Unlock()
	if !told {
		e := chatEvent{Event: "connection", State: i.State.String(), Endpoint: i.Endpoint}
		if i.State == client.Ready {
			e.Node, e.Session = i.Node, i.Session
		} else if i.LastError != nil {
			e.Reason = i.LastError.Error()
		}
		c.emit(e)
	}
	c.term.tell()
}

// heardOf remembers a user's name for completion.
func (c *chat) heardOf(users ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, user := range users {
		if len(c.names) < maxNames && user != "" {
			c.names[user] = true
		}
	}
}

// question asks the node, which has a few seconds.
func question[T any](ctx context.Context, ask func(context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, questionTime)
	defer cancel()
	return ask(ctx)
}

// questionTime is how long a command waits for the node.
const questionTime = 5 * time.Second
