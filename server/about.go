package server

import (
	"net/netip"
	"strings"
	"time"
)

// What a Session tells of itself. Ref, Incarnation, Attempt, Stamp and Loop may be asked for at any time,
// everything else within the session's callbacks: outside of them it is zero. A node without a
// Handler, Auth and an index keeps nothing of its sessions: Incarnation, Attempt and Since are zero.

// Ref names the session for ever. It may be asked for at any time.
func (s *Session) Ref() Ref { return s.app.ref(s.handle) }

// ID returns the client's id, as it said in HELLO. It allocates a string.
func (s *Session) ID() string {
	slot, err := s.enter()
	if err != nil {
		return ""
	}
	defer s.leave()
	return string(s.app.r.ClientID(slot))
}

// User returns whose device the client is: AuthGrant.User, or without one the client's id up to
// its first "/" ("alice/phone" is a device of alice). The latter allocates a string.
func (s *Session) User() string {
	slot, err := s.enter()
	if err != nil {
		return ""
	}
	defer s.leave()
	if s.user != "" {
		return s.user
	}
	id := string(s.app.r.ClientID(slot))
	if user, _, _ := strings.Cut(id, "/"); user != "" {
		return user
	}
	return id
}

// Incarnation is the random number of the client's process (of its Client value) that HELLO
// told; zero if it told none, or if the node has no Handler, Auth or index. It may be asked for at any time.
func (s *Session) Incarnation() uint64 { return s.incarnation }

// Attempt counts the connects of an incarnation: of two sessions with the same incarnation the one
// with the higher attempt is the newer, whichever was opened first, since a HELLO may lie unread
// for a while. It may be asked for at any time.
func (s *Session) Attempt() uint32 { return s.attempt }

// Stamp is what Handler.Stamp has said of the login; 0: nothing. It may be asked for at any time.
func (s *Session) Stamp() uint64 { return s.stamp }

// Sender names the client as one that numbers messages: what Server.Ack wants. In Message, for a message that has
// a number, it costs no allocation.
func (s *Session) Sender() (from Sender) {
	if slot, err := s.enter(); err == nil {
		defer s.leave()
		from = Sender{s.app.r.SenderID(slot), s.incarnation}
	}
	return from
}

// Loop is the number of the event loop that the session is on, from 0. It may be asked for at any
// time.
func (s *Session) Loop() int { return int(s.handle >> 56) }

// Addr is where the client is: what a trusted proxy tells (Config.TrustedProxies), else the
// connection's peer; not valid of a unix socket (Peer). All that come by one without an address count
// as one where addresses are limited.
func (s *Session) Addr() (addr netip.Addr) {
	if slot, err := s.enter(); err == nil {
		defer s.leave()
		addr = s.app.r.RemoteAddr(slot)
	}
	return addr
}

// Transport names what carries the session.
func (s *Session) Transport() (name Transport) {
	if slot, err := s.enter(); err == nil {
		defer s.leave()
		name = s.app.carrier(slot)
	}
	return name
}

// Since is when the client was welcomed; zero if the node has no Handler, Auth or index.
func (s *Session) Since() (at time.Time) {
	if _, err := s.enter(); err == nil {
		defer s.leave()
		if s.since != 0 {
			at = time.Unix(0, s.since)
		}
	}
	return at
}

// LastRead is when the client's last complete frame was read, to a tick. In Message it is that
// of a read before this one.
func (s *Session) LastRead() (at time.Time) {
	if slot, err := s.enter(); err == nil {
		defer s.leave()
		at = s.app.wall().Add(-s.app.r.Quiet(slot))
	}
	return at
}

// Queued is how many bytes wait for the client in this process, those of the present callback
// included.
func (s *Session) Queued() (bytes int) {
	if slot, err := s.enter(); err == nil {
		defer s.leave()
		bytes = s.app.r.QueuedBytes(slot)
	}
	return bytes
}

// Draining says that the client was told to connect elsewhere; until it says BYE it is served as
// before.
func (s *Session) Draining() (told bool) {
	if slot, err := s.enter(); err == nil {
		defer s.leave()
		told = s.app.r.ToldToMove(slot)
	}
	return told
}

// Data is what SetData has set last, AuthGrant.Data before that. It costs no allocation.
func (s *Session) Data() (data any) {
	if _, err := s.enter(); err == nil {
		defer s.leave()
		data = s.data
	}
	return data
}

// SetData keeps data of the application with the session, until it ends. The error is ErrOutside
// or ErrClosed.
func (s *Session) SetData(data any) error {
	if _, err := s.enter(); err != nil {
		return err
	}
	defer s.leave()
	s.data = data
	return nil
}
