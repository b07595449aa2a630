package client

import (
	"crypto/tls"
	"net/netip"
	"testing"
	"time"

	"github.com/stormwheel/stormwheel/internal/selfsigned"
	"github.com/stormwheel/stormwheel/internal/transport"
	"github.com/stormwheel/stormwheel/internal/transport/handshake"
	"github.com/stormwheel/stormwheel/internal/transport/transporttest"
	"github.com/stormwheel/stormwheel/internal/transport/websocket"
)

// through is what run and edge put between the two ends; nil: nothing.
var through struct{ Client, Server func() transport.Stage }

// The tests that run through every stage, beside their runs without one.
var throughEveryStage = map[string]func(*testing.T){
	"heartbeats": TestHoursOfHeartbeats,
	"failover":   TestFailoverToTheOtherNode,
	"silence":    TestSilentServerIsNoticedWhileAWriterIsBusy,
}

func TestThroughEveryStage(t *testing.T) {
	defer func() { through.Client, through.Server = nil, nil }()
	for what, body := range throughEveryStage {
		for name, away := range map[string]bool{"length": false, "length, away": true} {
			through.Client = func() transport.Stage { return transporttest.NewLength(true, away) }
			through.Server = func() transport.Stage { return transporttest.NewLength(false, away) }
			t.Run(name+"/"+what, body)
		}
		through.Client = func() transport.Stage {
			return &transporttest.Header{From: netip.AddrFrom4([4]byte{192, 0, 2, 1})}
		}
		through.Server = func() transport.Stage { return new(transporttest.Header) }
		t.Run("header/"+what, body)
		through.Client = func() transport.Stage {
			return websocket.NewClient(websocket.ClientConfig{Host: "example.com"})
		}
		through.Server = func() transport.Stage { return websocket.NewServer(websocket.ServerConfig{}) }
		t.Run("websocket/"+what, body)
		through.Client = func() transport.Stage { return handshake.NewClient(&tls.Config{InsecureSkipVerify: true}, nil) }
		through.Server = tlsServer(t, nil)
		t.Run("tls/"+what, body)
	}
}

// tlsServer makes the server's side of TLS. tell: what its configuration is to be besides.
func tlsServer(t *testing.T, tell func(*tls.Config)) func() transport.Stage {
	t.Helper()
	own, err := selfsigned.New(time.Hour, "a")
	if err != nil {
		t.Fatal(err)
	}
	c := &tls.Config{Certificates: []tls.Certificate{own}}
	if tell != nil {
		tell(c)
	}
	config, err := handshake.NewConfig(c)
	if err != nil {
		t.Fatal(err)
	}
	return func() transport.Stage { return handshake.NewServer(config, nil) }
}
