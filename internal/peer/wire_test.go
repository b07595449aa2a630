package peer

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
	"time"
)

// describe says what a message says, a line each.
func describe(msg []byte) ([]string, error) {
	h, body, err := parseHeader(msg)
	if err != nil {
		return nil, err
	}
	name := "unknown"
	if h.kind > 0 && h.kind < kindsKnown {
		name = kindNames[h.kind]
	}
	var lines []string
	say := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	say("kind = %s", name)
	say("epoch = %016x", h.epoch)
	say("node = %s", h.name)
	records := func(b []byte) {
		for r := (&node{}).read(b); r.next(); {
			switch r.kind {
			case recordLogin, recordLogout:
				say("record = %s", map[recordKind]string{recordLogin: "login", recordLogout: "logout"}[r.kind])
				say("stamp = %016x", r.Stamp)
				say("incarnation = %016x", r.Incarnation)
				say("id = %s", r.ID)
				say("user = %s", r.User)
				say("attempt = %d", r.Attempt)
			default:
				say("record = unknown")
			}
		}
	}
	switch h.kind {
	case kindNode:
		var a announcement
		if a, err = parseAnnouncement(body); err == nil {
			describeNode(&a, say)
		}
	case kindClaims:
		var c claims
		if c, err = parseClaims(body); err == nil {
			say("first = %d", c.first)
			records(c.records)
		}
	case kindAsk, kindWant:
		var q question
		if q, err = parseQuestion(h.kind, body); err == nil {
			say("asked epoch = %016x", q.epoch)
			say("since = %d", q.since)
			if h.kind == kindWant {
				say("cursor = %d", q.cursor)
			}
		}
	case kindList:
		var l list
		if l, err = parseList(body); err == nil {
			say("since = %d", l.since)
			say("head = %d", l.head)
			say("cursor = %d", l.cursor)
			say("next = %d", l.next)
			records(l.records)
		}
	case kindAgain:
		if _, err = countRecords(body); err == nil {
			records(body)
		}
	case kindRegister, kindTook:
		err = describeLane(h.kind, body, say)
	case kindToHub, kindToHubs:
		say("body = %s", body)
	}
	return lines, err
}

func describeNode(a *announcement, say func(string, ...any)) {
	say("started = %d", a.started)
	say("clock = %d", a.clock)
	say("drain = %d", a.drain)
	say("head = %d", a.head)
	say("number = %d", a.number)
	say("state = %d", a.state)
	say("whole = %v", a.whole)
	say("sessions = %d", a.load.Sessions)
	say("places = %d", a.load.Places)
	say("admit rate = %d", int(a.load.AdmitRate))
	say("lag = %d", a.load.Lag.Milliseconds())
	if len(a.address) > 0 {
		say("address = %s", a.address)
	}
	if len(a.version) > 0 {
		say("version = %s", a.version)
	}
	for b := a.heard; len(b) > 0; b = b[markLen:] {
		say("hears = %08x", binary.BigEndian.Uint32(b))
	}
}

// again encodes what a message says.
func again(msg []byte) []byte {
	h, body, err := parseHeader(msg)
	if err != nil {
		return nil
	}
	dst := appendHeader(nil, h.kind, h.epoch, string(h.name))
	switch h.kind {
	case kindNode:
		a, _ := parseAnnouncement(body)
		return appendAnnouncement(dst, &a)
	case kindClaims:
		c, _ := parseClaims(body)
		return appendClaims(dst, c.first, recordsAgain(c.records))
	case kindAsk, kindWant:
		q, _ := parseQuestion(h.kind, body)
		return appendQuestion(dst, h.kind, q)
	case kindList:
		l, _ := parseList(body)
		l.records = recordsAgain(l.records)
		return appendList(dst, &l)
	case kindAgain:
		return append(dst, recordsAgain(body)...)
	default:
		return append(dst, body...)
	}
}

func recordsAgain(b []byte) (dst []byte) {
	for r := (&node{}).read(b); r.next(); {
		dst = appendRecord(dst, r.kind, &session{id: string(r.ID), user: string(r.User), stamp: r.Stamp, incarnation: r.Incarnation, attempt: r.Attempt})
	}
	return dst
}

func TestAnnouncementSaysItAgain(t *testing.T) {
	a := announcement{started: 1, clock: 2, drain: 3, head: 4, number: 5, state: Draining, whole: true, address: []byte("h:1"), version: []byte("v"), heard: make([]byte, 8),
		load: Load{Sessions: 6, Places: 7, AdmitRate: 8, Lag: 9 * time.Millisecond}}
	for _, places := range []int{7, 0, -1} {
		a.load.Places = places
		b := appendAnnouncement(nil, &a)
		if len(b) != announcementLen+3*3+3+1+8 {
			t.Errorf("%d bytes", len(b))
		}
		got, err := parseAnnouncement(b)
		if err != nil || fmt.Sprint(got) != fmt.Sprint(a) {
			t.Errorf("%+v, %v, want %+v", got, err, a)
		}
	}
	a.load = Load{Sessions: 1 << 40, Places: 1 << 40, AdmitRate: 1e20, Lag: 1 << 62}
	if got, err := parseAnnouncement(appendAnnouncement(nil, &a)); err != nil || got.load.Places != noBound-1 || got.load.Sessions != noBound {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestWhoHears(t *testing.T) {
	a := announcement{heard: []byte{0, 0, 0, 1, 0, 0, 0, 2}, whole: true}
	if !a.hears(1) || !a.hears(2) || a.hears(3) {
		t.Error("of those named, no more")
	}
	if a.whole = false; !a.hears(3) {
		t.Error("not all were named")
	}
}

func TestMalformedIsDropped(t *testing.T) {
	w := newWorld(t, 1)
	h := w.cluster(2, Config{Replace: true})
	head := func(k kind, rest ...byte) []byte { return append(appendHeader(nil, k, h[1].cfg.Epoch, "b"), rest...) }
	node := func(change func(b []byte)) []byte {
		b := appendAnnouncement(head(kindNode), &announcement{started: 1, clock: 2, state: Serving, address: []byte("h:1")})
		change(b[headerLen+1:])
		return b
	}
	record := appendRecord(nil, recordLogin, &session{id: "x", user: "u", stamp: 1 << 30})
	changed := func(at int, b byte) []byte {
		r := bytes.Clone(record)
		r[at] = b
		return append(head(kindClaims, 0, 0, 0, 0, 0, 0, 0, 1), r...)
	}
	for why, msg := range map[string][]byte{
		"empty":             {},
		"short":             {1},
		"no name":           appendHeader(nil, kindNode, 1, ""),
		"a name cut":        head(kindNode)[:headerLen],
		"a bad name":        appendHeader(nil, kindNode, 1, "a.b"),
		"epoch 0":           appendHeader(nil, kindNode, 0, "b"),
		"too long":          make([]byte, MaxMessage+1),
		"announcement cut":  head(kindNode, make([]byte, announcementLen-1)...),
		"no state":          node(func(b []byte) { b[34] = 0 }),
		"clock too far":     node(func(b []byte) { b[8] = 1 }),
		"start too far":     node(func(b []byte) { b[0] = 1 }),
		"drain too far":     node(func(b []byte) { b[16] = 1 }),
		"no end of claims":  node(func(b []byte) { copy(b[24:], bytes.Repeat([]byte{0xff}, 8)) }),
		"a control in text": node(func(b []byte) { b[announcementLen+3] = 7 }),
		"two addresses":     node(func(b []byte) { b[announcementLen+3] = ',' }),
		"an entry cut":      node(func(b []byte) { b[announcementLen+2] = 9 }),
		"half a mark":       node(func(b []byte) { b[announcementLen] = tailHeard }),
		"claims cut":        head(kindClaims, 1, 2),
		"claim 0":           append(head(kindClaims, make([]byte, 8)...), record...),
		"numbers end":       append(head(kindClaims, bytes.Repeat([]byte{0xff}, 8)...), record...),
		"a record cut":      append(head(kindClaims, 0, 0, 0, 0, 0, 0, 0, 1), record[:len(record)-1]...),
		"a record's head":   append(head(kindClaims, 0, 0, 0, 0, 0, 0, 0, 1), 1),
		"an id cut":         changed(recordHead+recordFixed, 200),
		"no id":             changed(recordHead+recordFixed, 0),
		"a record too short": append(head(kindClaims, 0, 0, 0, 0, 0, 0, 0, 1),
			append([]byte{1, 0, 3}, 1, 2, 3)...),
		"a stamp too far": changed(recordHead, 0xff),
		"question cut":    head(kindAsk, make([]byte, askLen-1)...),
		"want cut":        head(kindWant, make([]byte, wantLen-1)...),
		"question for 0":  head(kindAsk, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0),
		"list cut":        head(kindList, make([]byte, listLen-1)...),
		"list since 0":    head(kindList, make([]byte, listLen)...),
		"list goes back":  appendList(head(kindList), &list{since: 1, cursor: 5, next: 5}),
		"again cut":       head(kindAgain, 1),
	} {
		before := h[0].m.Stats()
		h[0].m.Received(h[0].time(), msg, &h[0].out)
		if got := h[0].m.Stats(); got.Malformed != before.Malformed+1 && (len(msg) > 0 && msg[0] == 1 || got.Unknown == before.Unknown) {
			t.Errorf("%s: taken", why)
		}
		if len(h[0].out.Actions) > 0 {
			t.Errorf("%s: %+v", why, h[0].out.Actions)
		}
	}
}

// What a later version says and this one does not know is skipped: kinds, records, entries, what follows
// the fields, other versions.
func TestUnknownIsSkipped(t *testing.T) {
	w := newWorld(t, 2)
	h := w.cluster(2, Config{Replace: true})
	head := func(k kind) []byte { return appendHeader(nil, k, h[1].cfg.Epoch, "b") }
	unknown := h[0].m.Stats().Unknown
	h[0].receive(append(head(kindsKnown), "what is that"...))
	h[0].receive(append(head(0), "or that"...))
	h[0].receive([]byte{2, 1, 1})
	if got := h[0].m.Stats().Unknown - unknown; got != 3 {
		t.Errorf("%d messages are unknown, want 3", got)
	}
	records := append([]byte{77, 0, 3}, "new"...)
	one := appendRecord(nil, recordLogin, &session{id: "x", user: "u", stamp: 1 << 40})
	one[2] += 4
	records = append(append(records, one...), "more"...)
	h[0].receive(appendClaims(head(kindClaims), 1, records))
	if got := h[0].views["b"]; len(got) != 1 || got[1<<40] != "x" {
		t.Errorf("%v", got)
	}
	if p := h[0].m.Peers(nil)[0]; p.Seen != 2 {
		t.Errorf("%d claims were seen, want 2", p.Seen)
	}
	a := announcement{started: h[1].m.started, clock: 2, state: 9}
	b := appendEntry(appendAnnouncement(head(kindNode), &a), 200, []byte("new"))
	malformed := h[0].m.Stats().Malformed
	h[0].m.tuned = 0 // clients were told nothing in this moment
	h[0].receive(appendEntry(b, tailVersion, []byte("v9")))
	if p := h[0].m.Peers(nil)[0]; p.Version != "v9" || p.State != 9 || h[0].m.Stats().Malformed != malformed {
		t.Errorf("%+v", p)
	}
	if len(h[0].terms.Alternates) != 0 {
		t.Error("a node in a state that is not known is somebody's alternate")
	}
}

func FuzzReceived(f *testing.F) {
	w := newWorld(nil, 1)
	a, b := w.start(Config{Node: "a", Epoch: 1, Replace: true}), w.start(Config{Node: "b", Epoch: 2, Replace: true, LogBytes: 1})
	w.trace = func(_ *host, a Action) {
		if a.Op == Publish {
			f.Add(bytes.Clone(a.Data))
		}
	}
	w.run(time.Second)
	a.open("x", 1, 0)
	w.run(10 * time.Millisecond)
	b.open("x", 2, 0)
	w.run(10 * time.Millisecond)
	l := list{since: 1, head: 2, next: 3, records: appendRecord(nil, recordLogin, &session{id: "x", user: "u", stamp: 1 << 60})}
	f.Add(appendList(appendHeader(nil, kindList, 2, "b"), &l))
	f.Add(appendQuestion(appendHeader(nil, kindWant, 2, "b"), kindWant, question{epoch: 9, since: 1, cursor: 1}))
	a.m.SendAll(a.time(), []byte("hello"), &a.out)
	a.obey()
	a.m.Gone(a.time(), "b", &a.out)
	a.obey()
	w.run(2 * time.Second)
	w.start(Config{Node: "c", Epoch: 3})
	w.run(2 * time.Second)
	f.Fuzz(func(t *testing.T, msg []byte) {
		w := newWorld(t, 1)
		h := w.start(Config{Node: "a", Epoch: 9, Replace: true})
		w.start(Config{Node: "b", Epoch: 2, Replace: true})
		w.start(Config{Node: "c", Epoch: 3, Replace: true})
		h.open("x", 1, 0)
		w.run(2 * time.Second)
		for range 2 {
			h.receive(msg)
			h.receive(again(msg))
		}
		w.run(5 * time.Second)
		if lines, err := describe(msg); err == nil {
			if other, err := describe(again(msg)); err != nil || len(other) != len(lines) && !strings.Contains(fmt.Sprint(lines), "unknown") {
				t.Errorf("%q\n%q, %v", lines, other, err)
			}
		}
		w.checkBounds(h)
	})
}
