package fanout

import (
	"bytes"
	"context"
	"encoding/binary"
	"time"

	"github.com/stormwheel/stormwheel/bench/lab/flood"
	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/messaging"
	"github.com/stormwheel/stormwheel/messaging/envelope"
	"github.com/stormwheel/stormwheel/server"
)

// roomNode is a server of one loop that runs package messaging, and a room of it.
type roomNode struct {
	srv   *server.Server
	hub   *messaging.Hub
	turns *flood.Turns
	epoch int // how many marks the room's epoch has
	count uint64
}

func startRoom() (hub, string, error) {
	n, err := runRoom(messaging.Config{}, "")
	if err != nil {
		return nil, "", err
	}
	return n, n.srv.Addr(), nil
}

func runRoom(c messaging.Config, node string) (n *roomNode, err error) {
	n = &roomNode{turns: flood.WatchTurns()}
	c.JoinRate = -1
	if n.hub, err = messaging.New(c); err != nil {
		return nil, err
	}
	n.srv, err = server.New(server.Config{Listen: "127.0.0.1:0", Node: node, Loops: 1, AdmitRate: 1e6, Heartbeat: 5 * time.Minute, Handler: n.hub.Handler()})
	if err != nil {
		return nil, err
	}
	if err := n.hub.Start(n.srv); err != nil {
		return nil, err
	}
	return n, n.srv.Start()
}

func (n *roomNode) joined() int { return int(n.hub.Stats().Members) }

// gather learns the room's epoch, which stands in all that it says.
func (n *roomNode) gather(map[string]float64) error {
	at, err := n.hub.PushRoom(context.Background(), everybody, messaging.Message{})
	n.epoch = bytes.Count(binary.BigEndian.AppendUint64(nil, at.Epoch), []byte{mark})
	return err
}

func (n *roomNode) publish(body []byte, times int) error {
	for range times {
		n.count++
		if _, err := n.hub.PushRoom(context.Background(), everybody, messaging.Message{ID: messaging.ID{Sender: "lab", Incarnation: 1, Number: n.count}, Content: body}); err != nil {
			return err
		}
	}
	return nil
}

func (n *roomNode) marks(body []byte) int { return n.epoch + bytes.Count(body, []byte{mark}) }

func (n *roomNode) end(figures map[string]float64) {
	st := n.srv.Stats()
	n.turns.Tell(figures)
	figures["dropped"] = float64(st.Dropped)
	over, cancel := context.WithCancel(context.Background())
	cancel()
	_ = n.srv.Stop(over)
	_ = n.hub.Close(over)
}

// joinRoom greets as a member of the room, who joins when he is welcome.
func joinRoom(id string) (first, second []byte) {
	first, err := codec.AppendHello(nil, &codec.HelloMessage{MinVersion: codec.ProtocolVersion, MaxVersion: codec.ProtocolVersion,
		ClientID: []byte(id), Incarnation: 1})
	if err != nil {
		panic(err) // the id is one of ours
	}
	body, err := envelope.Append(nil, &envelope.Envelope{Kind: envelope.Join, Room: []byte(everybody)})
	if err != nil {
		panic(err) // it is always the same
	}
	return first, codec.AppendSend(nil, 1, body)
}
