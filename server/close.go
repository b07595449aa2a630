package server

import (
	"fmt"
	"math"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/stormwheel/stormwheel/codec"
)

// Close says how the application ends a session: what its GOAWAY tells the client. The zero value is
// codec.CodeKicked, after which the client returns within a second.
type Close struct {
	// Code is what the client obeys: codec.CodeKicked, which zero means, codec.CodeReplaced,
	// codec.CodeSuperseded, codec.CodeInUse, or one that is an application's alone: 3150 to 3199 for
	// "return here", 3450 to 3499 for "elsewhere", 3900 to 3999 for "not again", which ends the
	// client. Any other means what the server alone can know (3201 begins a handover), and is ErrCode.
	Code codec.Code
	// Reason is text for people, at most codec.MaxReason bytes without control characters. Default
	// "kicked", as the end is counted.
	Reason string
	// Delay is how long the client shall stay away at least, and Window over how long after that its
	// return shall be spread. Both are told in milliseconds, rounded up, at most 49 days. If both are
	// zero the code says when it returns.
	Delay, Window time.Duration
	// Alternates are addresses of other nodes, "host:port", codec.MaxAlternates bytes with the commas
	// between them. Nil: Config.Alternates; empty: none are told.
	Alternates []string
}

// Close ends the session as how says when the callback returns, behind what was sent to it and posted
// for it before; of two in one callback the last counts. The end counts as ReasonKicked. In Closed
// it does nothing. The error is ErrCode, codec.ErrField for what no frame can hold, ErrOutside or
// ErrClosed; with one nothing happens.
func (s *Session) Close(how Close) error {
	code, goAway, err := how.encode(s.app.alternates)
	if err != nil {
		return err
	}
	if _, err = s.enter(); err != nil {
		return err
	}
	defer s.leave()
	s.app.r.Kick(code, goAway)
	return nil
}

// Close ends a session as how says, from any goroutine. It never fails for want of room, and does not
// overtake what the same goroutine has sent and acknowledged before: that is written before the
// GOAWAY. Errors: ErrClosed and ErrNode (see Posts in the package's doc), ErrCode and codec.ErrField.
func (s *Server) Close(to Ref, how Close) error {
	code, goAway, err := how.encode(s.tuned.Load().cfg.Alternates)
	if err != nil {
		return err
	}
	l, err := s.loopFor(to)
	if err != nil {
		return err
	}
	l.reactor.Mailbox().Close(to.handle, code, goAway)
	l.ask()
	return nil
}

// encode makes the GOAWAY. It is nil where it says no more than the code.
func (c *Close) encode(alternates []string) (code codec.Code, goAway []byte, err error) {
	if code, err = closeCode(c.Code); err != nil {
		return 0, nil, err
	}
	if c.Reason == "" && c.Delay == 0 && c.Window == 0 && c.Alternates == nil {
		return code, nil, nil
	}
	m := codec.GoAwayMessage{Code: code, Delay: c.Delay, Window: c.Window, Reason: []byte(c.Reason)}
	if c.Reason == "" {
		m.Reason = []byte(ReasonKicked.String())
	}
	if c.Alternates != nil {
		alternates = c.Alternates
	}
	for i, d := range []time.Duration{c.Delay, c.Window} {
		if d < 0 || d > longestWait {
			return 0, nil, fmt.Errorf("%w: GOAWAY tells no %s of %v", codec.ErrField, [...]string{"delay", "window"}[i], d)
		}
	}
	goAway, err = encodeGoAway(&m, alternates)
	return code, goAway, err
}

// longestWait is the longest time that GOAWAY can tell.
const longestWait = math.MaxUint32 * time.Millisecond

// encodeGoAway makes a GOAWAY with the addresses of other nodes.
func encodeGoAway(m *codec.GoAwayMessage, alternates []string) ([]byte, error) {
	for _, addr := range alternates {
		if !isHostPort(addr) {
			return nil, fmt.Errorf("%w: alternate %.80q is not host:port", codec.ErrField, addr)
		}
	}
	m.Alternates = []byte(strings.Join(alternates, ","))
	return codec.AppendGoAway(nil, m)
}

// isHostPort says whether an address can stand in a list of alternates.
func isHostPort(addr string) bool {
	host, digits, err := net.SplitHostPort(addr)
	if err != nil || host == "" || strings.ContainsAny(addr, ", ") {
		return false
	}
	port, err := strconv.ParseUint(digits, 10, 16)
	return err == nil && port > 0
}

// closeCode is the code that an application may close with.
func closeCode(code codec.Code) (codec.Code, error) {
	switch {
	case code == 0:
		return codec.CodeKicked, nil
	case code == codec.CodeKicked, code == codec.CodeReplaced, code == codec.CodeSuperseded, code == codec.CodeInUse,
		code >= 3150 && code < 3200, code >= 3450 && code < 3500, code >= 3900 && code < 4000:
		return code, nil
	default:
		return 0, fmt.Errorf("%w: %d %s", ErrCode, uint16(code), code)
	}
}
