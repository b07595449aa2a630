package cluster

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"sync"

	"github.com/centrifugal/centrifuge"
	"github.com/centrifugal/protocol"
	"github.com/nats-io/nats.go"

	"github.com/stormwheel/stormwheel/bench/lab/fanout"
)

// centrifugeNode is a node of github.com/centrifugal/centrifuge, whose clients are subscribed by the server. What is published
// goes to other nodes by NATS: one subject a channel, to which a node subscribes that has a client there.
type centrifugeNode struct {
	node   *centrifuge.Node
	server http.Server
	conn   *nats.Conn
	addr   string
}

func startCentrifuge(url string) (c *centrifugeNode, err error) {
	c = new(centrifugeNode)
	if c.conn, err = nats.Connect(url); err != nil {
		return nil, err
	}
	if c.node, err = centrifuge.New(centrifuge.Config{}); err != nil {
		return nil, err
	}
	by := &byNATS{conn: c.conn, id: c.node.ID(), subs: make(map[string]*nats.Subscription)}
	c.node.SetBroker(by)
	c.node.SetController(by)
	c.node.OnConnecting(func(context.Context, centrifuge.ConnectEvent) (centrifuge.ConnectReply, error) {
		return centrifuge.ConnectReply{Credentials: &centrifuge.Credentials{UserID: "member"},
			Subscriptions:  map[string]centrifuge.SubscribeOptions{fanout.Room: {}},
			PingPongConfig: &centrifuge.PingPongConfig{PingInterval: -1, PongTimeout: -1}}, nil
	})
	if err := c.node.Run(); err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	c.addr, c.server.Handler = l.Addr().String(), centrifuge.NewWebsocketHandler(c.node, centrifuge.WebsocketConfig{})
	go func() { _ = c.server.Serve(l) }()
	return c, nil
}

func (c *centrifugeNode) end() {
	_ = c.server.Close()
	c.conn.Close()
}

// byNATS is a centrifuge.Broker without history, and a Controller.
type byNATS struct {
	conn *nats.Conn
	id   string

	mu   sync.Mutex
	subs map[string]*nats.Subscription
	told centrifuge.BrokerEventHandler
}

const (
	channels = "channel."
	control  = "control"
)

func (b *byNATS) RegisterBrokerEventHandler(h centrifuge.BrokerEventHandler) error {
	b.told = h
	return nil
}

func (b *byNATS) RegisterControlEventHandler(h centrifuge.ControlEventHandler) error {
	for _, subject := range []string{control, control + "." + b.id} {
		if _, err := b.conn.Subscribe(subject, func(m *nats.Msg) { _ = h.HandleControl(m.Data) }); err != nil {
			return err
		}
	}
	return nil
}

func (b *byNATS) PublishControl(data []byte, node, _ string) error {
	if node == "" {
		return b.conn.Publish(control, data)
	}
	return b.conn.Publish(control+"."+node, data)
}

func (b *byNATS) Subscribe(names ...string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, name := range names {
		if b.subs[name] != nil {
			continue
		}
		sub, err := b.conn.Subscribe(channels+name, func(m *nats.Msg) {
			p := new(protocol.Publication)
			if p.UnmarshalCF(m.Data) == nil {
				_ = b.told.HandlePublication(name, &centrifuge.Publication{Data: p.Data}, centrifuge.StreamPosition{}, false, nil)
			}
		})
		if err != nil {
			return err
		}
		b.subs[name] = sub
	}
	return nil
}

func (b *byNATS) Unsubscribe(names ...string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, name := range names {
		if sub := b.subs[name]; sub != nil {
			delete(b.subs, name)
			if err := sub.Unsubscribe(); err != nil {
				return err
			}
		}
	}
	return nil
}

func (b *byNATS) Publish(name string, data []byte, _ centrifuge.PublishOptions) (result centrifuge.PublishResult, err error) {
	p := protocol.Publication{Data: data}
	encoded, err := p.MarshalCF()
	if err != nil {
		return result, fmt.Errorf("a publication: %w", err)
	}
	return result, b.conn.Publish(channels+name, encoded)
}

func (b *byNATS) PublishJoin(string, *centrifuge.ClientInfo) error  { return nil }
func (b *byNATS) PublishLeave(string, *centrifuge.ClientInfo) error { return nil }
func (b *byNATS) RemoveHistory(string) error                        { return nil }

func (b *byNATS) History(string, centrifuge.HistoryOptions) ([]*centrifuge.Publication, centrifuge.StreamPosition, error) {
	return nil, centrifuge.StreamPosition{}, centrifuge.ErrorNotAvailable
}
