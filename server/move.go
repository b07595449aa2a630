package server

import (
	"errors"

	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/internal/reactor"
)

// ErrNowhere is returned by Move when there is no other node to name.
var ErrNowhere = errors.New("server: there is no other node to move to")

// Move asks the client to connect elsewhere, as a drain does with all: to one of these addresses
// ("host:port"), or of Config.Alternates for nil. The session is served as before until the client has
// connected there and says BYE; one that finds nobody stays. It may be asked again, with other addresses,
// and a drain asks again. A client that is sent on and on, more than three times without a minute in one
// place, goes ever more slowly, after seconds at first and up to a minute. The GOAWAY leaves behind what was sent before it. The error is ErrNowhere,
// codec.ErrField for addresses that no frame can hold, ErrOutside, ErrClosed, or ErrQueue as of Deliver.
func (s *Session) Move(alternates []string) error {
	goAway, err := moveFrame(alternates, s.app.alternates)
	if err != nil {
		return err
	}
	slot, err := s.enter()
	if err != nil {
		return err
	}
	defer s.leave()
	return s.app.r.Move(slot, goAway)
}

// Move is Session.Move from any goroutine. Errors: see Posts in the package's doc; ErrNowhere, and
// codec.ErrField.
func (s *Server) Move(to Ref, alternates []string) error {
	goAway, err := moveFrame(alternates, s.tuned.Load().cfg.Alternates)
	if err != nil {
		return err
	}
	return s.post(to, func(m *reactor.Mailbox) error { return m.Move(to.handle, goAway) })
}

func moveFrame(alternates, usual []string) ([]byte, error) {
	if alternates == nil {
		alternates = usual
	}
	if len(alternates) == 0 {
		return nil, ErrNowhere
	}
	m := codec.GoAwayMessage{Code: codec.CodeDraining, Reason: []byte(ReasonDraining.String())}
	return encodeGoAway(&m, alternates)
}
