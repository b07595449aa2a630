package fanout

import (
	"bytes"
	"context"
	"net/http"
	"time"

	"github.com/centrifugal/centrifuge"
	"github.com/centrifugal/protocol"

	"github.com/stormwheel/stormwheel/bench/lab/flood"
)

// centrifugeHub is a node of github.com/centrifugal/centrifuge with its engine in memory, whose clients
// speak its protobuf protocol and are subscribed by the server.
type centrifugeHub struct {
	node    *centrifuge.Node
	server  http.Server
	options []centrifuge.PublishOption
}

// What a channel with history keeps.
const (
	keptMessages = 128
	keptTime     = 5 * time.Minute
)

func startCentrifuge(subscribe centrifuge.SubscribeOptions, publish ...centrifuge.PublishOption) (hub, string, error) {
	n, err := centrifuge.New(centrifuge.Config{})
	if err != nil {
		return nil, "", err
	}
	n.OnConnecting(func(context.Context, centrifuge.ConnectEvent) (centrifuge.ConnectReply, error) {
		return centrifuge.ConnectReply{Credentials: &centrifuge.Credentials{UserID: "member"},
			Subscriptions:  map[string]centrifuge.SubscribeOptions{everybody: subscribe},
			PingPongConfig: &centrifuge.PingPongConfig{PingInterval: -1, PongTimeout: -1}}, nil
	})
	if err := n.Run(); err != nil {
		return nil, "", err
	}
	h := &centrifugeHub{node: n, options: publish}
	h.server.Handler = centrifuge.NewWebsocketHandler(n, centrifuge.WebsocketConfig{})
	addr, err := serve(&h.server)
	return h, addr, err
}

func (h *centrifugeHub) joined() int { return h.node.Hub().NumSubscribers(everybody) }

func (h *centrifugeHub) gather(map[string]float64) error { return nil }

func (h *centrifugeHub) publish(body []byte, times int) error {
	for range times {
		if _, err := h.node.Publish(everybody, body, h.options...); err != nil {
			return err
		}
	}
	return nil
}

func (h *centrifugeHub) marks(body []byte) int { return bytes.Count(body, []byte{mark}) }

func (h *centrifugeHub) end(map[string]float64) { _ = h.server.Close() }

// greeting is how the clients of a subject say that they are there.
func greeting(subject string) flood.Greeting {
	const upgrade = " HTTP/1.1\r\nHost: hub\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
	switch subject {
	case hubGWS:
		return func(string) (first, second []byte) { return []byte("GET /" + upgrade), nil }
	case OfHub, OfRooms:
		return joinRoom
	case hubOthers, OfHistory:
		return func(string) (first, second []byte) {
			return []byte("GET /?cf_protocol=protobuf" + upgrade), connectCommand()
		}
	default:
		return flood.Hello
	}
}

// connectCommand is the first command of a client of centrifuge, in a frame of WebSocket whose mask
// is zero.
func connectCommand() []byte {
	data, err := protocol.NewProtobufCommandEncoder().Encode(&protocol.Command{Id: 1, Connect: &protocol.ConnectRequest{}})
	if err != nil {
		panic(err) // it is always the same
	}
	const finBinary, masked = 0x82, 0x80
	return append([]byte{finBinary, masked | byte(len(data)), 0, 0, 0, 0}, data...)
}
