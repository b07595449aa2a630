package peers

import (
	"bytes"
	"context"
	"time"

	"github.com/stormwheel/stormwheel/internal/siege"
	"github.com/stormwheel/stormwheel/server"
)

// Besieged is a node of ours as enemies meet it: it asks for tokens, its deadlines are short, so
// that a siege sees them pass, and its application is what enemies need who do not read.
const Besieged = "besieged"

const (
	besiegedHello   = time.Second
	besiegedPartial = 700 * time.Millisecond
	besiegedFrames  = 200 // a second, of a client
)

// besiegedSecret is no secret: the node is ours, and gone when the siege is over.
var besiegedSecret = bytes.Repeat([]byte("s"), server.MinSecret)

// Target is what enemies must know of a besieged node.
func Target(addr string) *siege.Target {
	return &siege.Target{Addr: addr, HelloTimeout: besiegedHello, PartialTimeout: besiegedPartial, FrameRate: besiegedFrames,
		Token: func(id string, until time.Time) string {
			token, _ := server.MintToken(besiegedSecret, id, until) // the secret is long enough
			return token
		}}
}

func serveBesieged(t *Serve) (string, error) {
	auth, err := server.NewHMACAuth(besiegedSecret)
	if err != nil {
		return "", err
	}
	app := new(siege.App[server.Ref])
	s, err := server.New(server.Config{Listen: t.Listen, Node: t.Node, Loops: t.Loops, Auth: auth,
		Heartbeat: 500 * time.Millisecond, Timeout: 8 * time.Second, Tick: 20 * time.Millisecond,
		HelloTimeout: besiegedHello, PartialTimeout: besiegedPartial, WriteTimeout: 700 * time.Millisecond,
		AdmitRate: 100_000, IDRate: 2, MaxFrameRate: besiegedFrames,
		Handler: server.Handler{
			Opened: func(s *server.Session) {
				app.Opened(s.ID(), s.Ref(), func(body []byte) { s.Deliver(body) })
			},
			Message: func(s *server.Session, m server.Message) {
				s.Deliver(m.Body)
				s.Ack(m.Number)
			},
			Closed: func(s *server.Session, _ server.Reason) { app.Closed(s.Ref()) },
		}})
	if err != nil {
		return "", err
	}
	if err := s.Start(); err != nil {
		return "", err
	}
	go app.Push(context.Background(), func(to server.Ref, body []byte) { _ = s.Deliver(to, body) })
	return s.Addr(), nil
}
