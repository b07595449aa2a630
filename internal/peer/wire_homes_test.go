package peer

import (
	"bytes"
	"fmt"
	"testing"
)

// describeLane says what REGISTER and TOOK say.
func describeLane(k kind, body []byte, say func(string, ...any)) error {
	epoch, id, number, rest, err := parseLaneHead(body)
	if err != nil {
		return err
	}
	say("asked epoch = %016x", epoch)
	say("lane = %d", id)
	if k == kindTook {
		say("taken = %d", number)
		say("again = %v", len(rest) > 0 && rest[0] != 0)
		return nil
	}
	say("number = %d", number)
	for len(rest) > 0 {
		body, k, size := nextRecord(rest)
		if size == 0 {
			return errMalformed
		}
		rest = rest[size:]
		if err := describeRegistered(k, body, say); err != nil {
			return err
		}
	}
	return nil
}

func describeRegistered(k recordKind, body []byte, say func(string, ...any)) error {
	at := func(node []byte, c *Claim) {
		say("node = %s, epoch = %016x, stamp = %016x, incarnation = %016x, attempt = %d, id = %s", node, c.Epoch, c.Stamp, c.Incarnation, c.Attempt, c.ID)
	}
	switch k {
	case recordLogin, recordLogout, recordAway:
		c, roles, err := parseSession(body, k)
		if err != nil {
			return err
		}
		say("record = %s", map[recordKind]string{recordLogin: "login", recordLogout: "logout", recordAway: "away"}[k])
		say("stamp = %016x, incarnation = %016x, id = %s, user = %s, attempt = %d", c.Stamp, c.Incarnation, c.ID, c.User, c.Attempt)
		say("roles = %d", roles)
	case recordFollow, recordUnfollow:
		say("record = %s", map[recordKind]string{recordFollow: "follow", recordUnfollow: "unfollow"}[k])
		say("user = %s", body)
	case recordWhole:
		say("record = whole")
		say("view = %016x", parseWhole(body))
	case recordState:
		s, err := parseState(body)
		if err != nil {
			return err
		}
		say("record = state")
		say("view = %016x", s.view)
		say("of = %s", s.owner)
		say("user = %s", s.user)
		for i := range s.sessions {
			at(s.sessions[i].node, &s.sessions[i].claim)
		}
	case recordBeaten:
		node, c, err := parseBeaten(body)
		if err != nil {
			return err
		}
		say("record = beaten")
		at(node, &c)
	}
	return nil
}

// What a lane tells comes as it was told, and what is cut is told by nobody.
func TestRecordsOfALaneSayItAgain(t *testing.T) {
	bob := session{id: "bob-phone", user: "bob", incarnation: 7, attempt: 2, stamp: 9 << numberBits}
	c := Claim{ID: []byte("bob-phone"), Incarnation: 7, Attempt: 2, Stamp: 9 << numberBits, Epoch: 5}
	for _, record := range [][]byte{
		appendSession(nil, recordLogin, &bob, roleID|roleUser), appendSession(nil, recordAway, &bob, roleID), appendText(nil, recordFollow, "bob"),
		appendWhole(nil, 77), appendBeaten(nil, "a", &c),
		appendState(nil, &state{view: 3, user: []byte("bob"), sessions: []sessionAt{{[]byte("a"), c}, {[]byte("b"), c}}}),
		appendState(nil, &state{owner: []byte("a"), user: []byte("bob")}),
	} {
		var said []string
		body, k, size := nextRecord(record)
		if err := describeRegistered(k, body, func(format string, args ...any) { said = append(said, fmt.Sprintf(format, args...)) }); err != nil || size != len(record) {
			t.Errorf("% x: %v, %d of %d bytes", record, err, size, len(record))
		}
		var again []byte
		switch k {
		case recordLogin, recordAway:
			c, roles, _ := parseSession(body, k)
			again = appendSession(nil, k, &session{id: string(c.ID), user: string(c.User), incarnation: c.Incarnation, attempt: c.Attempt, stamp: c.Stamp}, roles)
		case recordFollow:
			again = appendText(nil, k, string(body))
		case recordWhole:
			again = appendWhole(nil, parseWhole(body))
		case recordBeaten:
			node, c, _ := parseBeaten(body)
			again = appendBeaten(nil, string(node), &c)
		case recordState:
			s, _ := parseState(body)
			again = appendState(nil, &s)
		}
		if !bytes.Equal(again, record) {
			t.Errorf("%v encodes to % x, want % x", said, again, record)
		}
		for cut := range body {
			if k == recordFollow || k == recordState && cut >= 13 {
				continue // a shorter name, or fewer sessions
			}
			if k != recordWhole && describeRegistered(k, body[:cut], func(string, ...any) {}) == nil {
				t.Errorf("%v: %d bytes are enough", said, cut)
			}
		}
	}
	many := state{view: 3, user: []byte("bob")}
	for range maxState + 1 {
		many.sessions = append(many.sessions, sessionAt{[]byte("a"), c})
	}
	body, _, _ := nextRecord(appendState(nil, &many))
	if s, err := parseState(body); err != nil || len(s.sessions) != maxState || s.view != 0 {
		t.Errorf("%d sessions, view %d, %v: who has too many is told to be whole", len(s.sessions), s.view, err)
	}
}
