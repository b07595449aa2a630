package peers

import (
	"context"

	"github.com/centrifugal/centrifuge"
)

// Centrifuge is a node of github.com/centrifugal/centrifuge with its engine in memory. It does not answer our frames:
// it pings its clients, as often as ours are told to ping, and one that does not answer is disconnected.
const Centrifuge = "centrifuge"

func serveCentrifuge(t *Serve) (string, error) {
	n, err := centrifuge.New(centrifuge.Config{})
	if err != nil {
		return "", err
	}
	// The timeout must be below the interval.
	pings := &centrifuge.PingPongConfig{PingInterval: t.Heartbeat, PongTimeout: min(t.Timeout, t.Heartbeat*9/10)}
	n.OnConnecting(func(context.Context, centrifuge.ConnectEvent) (centrifuge.ConnectReply, error) {
		return centrifuge.ConnectReply{Credentials: &centrifuge.Credentials{UserID: "client"}, PingPongConfig: pings}, nil
	})
	if err := n.Run(); err != nil {
		return "", err
	}
	return serveHTTP(t, centrifuge.NewWebsocketHandler(n, centrifuge.WebsocketConfig{ReadBufferSize: 512, UseWriteBufferPool: true}).ServeHTTP)
}
