package server

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/stormwheel/stormwheel/codec"
)

// Ref names a session: the node, its run, and the connection there. It is a value that can be
// compared, kept for any time, sent elsewhere and used from any goroutine; it never means another
// session. It is no credential. The zero Ref names none.
type Ref struct {
	node          string
	epoch, handle uint64
}

// Ref names the session that a client knows by id, from WELCOME, if it is of this node.
func (s *Server) Ref(id codec.SessionID) Ref { return Ref{s.Node(), id.Epoch, id.Handle} }

// Node is the name of the session's node.
func (r Ref) Node() string { return r.node }

// SessionID is the session as its client knows it from WELCOME.
func (r Ref) SessionID() codec.SessionID { return codec.SessionID{Epoch: r.epoch, Handle: r.handle} }

// IsZero says that r names no session.
func (r Ref) IsZero() bool { return r == Ref{} }

// String returns "node/epoch-handle", both numbers as 16 hexadecimal digits; empty for the zero
// Ref. ParseRef reads it.
func (r Ref) String() string {
	if r.IsZero() {
		return ""
	}
	return r.node + "/" + r.SessionID().String()
}

// ErrRef is returned by ParseRef.
var ErrRef = errors.New("server: no name of a session")

// ParseRef reads what Ref.String has written.
func ParseRef(s string) (Ref, error) {
	if s == "" {
		return Ref{}, nil
	}
	cut := strings.LastIndexByte(s, '/')
	if cut < 0 || cut > codec.MaxNode {
		return Ref{}, fmt.Errorf("%w: %.80q has no node before a slash", ErrRef, s)
	}
	var numbers [16]byte
	digits := s[cut+1:]
	if len(digits) != 33 || digits[16] != '-' || strings.ToLower(digits) != digits {
		return Ref{}, fmt.Errorf("%w: %.80q does not end in 16 and 16 hexadecimal digits", ErrRef, s)
	}
	if _, err := hex.Decode(numbers[:], []byte(digits[:16]+digits[17:])); err != nil {
		return Ref{}, fmt.Errorf("%w: %.80q does not end in 16 and 16 hexadecimal digits", ErrRef, s)
	}
	r := Ref{node: strings.Clone(s[:cut])}
	for i := range 8 {
		r.epoch = r.epoch<<8 | uint64(numbers[i])
		r.handle = r.handle<<8 | uint64(numbers[8+i])
	}
	return r, nil
}

// MarshalText implements encoding.TextMarshaler.
func (r Ref) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (r *Ref) UnmarshalText(text []byte) (err error) {
	*r, err = ParseRef(string(text))
	return err
}
