package swarm

import (
	"bufio"
	"net"
	"sync"
	"testing"

	"github.com/stormwheel/stormwheel/bench/benchtest"
	"github.com/stormwheel/stormwheel/codec"
	"github.com/stormwheel/stormwheel/messaging/envelope"
)

// post is a node that carries messages between users, as well as its test wants it.
type post struct {
	*benchtest.Node
	// fate says what becomes of a message to a user: the word of its ACK, how often it is delivered, and whether the
	// second copy has another name. Nil: delivered once.
	fate func(number uint64) (word uint8, copies int, renamed bool)
	// forgets says which messages to a room are acknowledged and not said; tells, that members are told so.
	alien   bool // senders get receipts about what another client has sent
	forgets func(offset uint64) bool
	tells   bool

	mute bool // SENDs come to nothing; guarded by mu

	mu      sync.Mutex
	users   map[string]*postConn
	members map[*postConn]string // by their room
	offsets map[string]uint64
	next    uint64 // number of a DELIVER
	sends   map[envelopeName]int
	acks    map[string]int // by who sent them
}

type envelopeName struct {
	sender string
	number uint64
}

// postConn is one session.
type postConn struct {
	net.Conn
	id          string
	incarnation uint64
}

func startPost(t *testing.T, p *post) *post {
	p.users, p.members, p.sends, p.offsets = map[string]*postConn{}, map[*postConn]string{}, map[envelopeName]int{}, map[string]uint64{}
	p.acks = map[string]int{}
	p.Node = &benchtest.Node{Meet: p.meet}
	benchtest.Start(t, p.Node)
	return p
}

// meet has a session until its connection ends.
func (p *post) meet(conn *net.TCPConn, _ int) bool {
	c := &postConn{Conn: conn}
	r := bufio.NewReader(conn)
	for {
		f, err := benchtest.ReadFrame(r)
		if err != nil {
			p.mu.Lock()
			defer p.mu.Unlock()
			delete(p.members, c)
			if p.users[c.id] == c {
				delete(p.users, c.id)
			}
			return true
		}
		p.mu.Lock()
		switch f.Type {
		case codec.Hello:
			m, _ := codec.ParseHello(f.Payload)
			c.id, c.incarnation = string(m.ClientID), m.Incarnation
			p.users[c.id] = c
			c.Write(p.Welcome())
		case codec.Ping:
			token, _, _ := codec.ParsePing(f.Payload)
			c.Write(codec.AppendPong(nil, codec.PongMessage{Token: token, Terms: p.Terms}))
		case codec.Ack:
			p.acks[c.id]++
		case codec.Send:
			number, body, _ := codec.ParseMessage(f.Payload)
			p.sends[envelopeName{c.id, number}]++
			if e, err := envelope.Parse(body); err == nil && !p.mute {
				p.send(c, number, &e)
			}
		}
		p.mu.Unlock()
	}
}

// send does what a client asks.
func (p *post) send(c *postConn, number uint64, e *envelope.Envelope) {
	ack := codec.AckOf(number)
	id := envelope.ID{Sender: []byte(c.id), Incarnation: c.incarnation, Number: number}
	switch e.Kind {
	case envelope.ToUser:
		word, copies, renamed := envelope.AckDelivered, 1, false
		if p.fate != nil {
			word, copies, renamed = p.fate(number)
		}
		ack.What = word
		if p.alien {
			other := envelope.ID{Sender: e.User, Incarnation: c.incarnation, Number: number}
			p.deliver(c, true, &envelope.Envelope{Kind: envelope.Receipt, ID: other, User: e.User, State: envelope.Delivered, Taken: benchEpoch})
		}
		for k := range copies {
			if k > 0 && renamed {
				id.Number += 1000
			}
			p.deliver(p.users[string(e.User)], true, &envelope.Envelope{Kind: envelope.Message, ID: id, Taken: benchEpoch, Content: e.Content})
		}
	case envelope.Join:
		p.members[c] = string(e.Room)
		p.deliver(c, true, &envelope.Envelope{Kind: envelope.Joined, Room: e.Room, Position: envelope.Position{Epoch: 1, Offset: p.offsets[string(e.Room)]}, State: envelope.Fresh})
	case envelope.ToRoom:
		room := string(e.Room)
		p.offsets[room]++
		if offset := p.offsets[room]; p.forgets == nil || !p.forgets(offset) {
			for m, in := range p.members {
				if in != room {
					continue
				}
				p.deliver(m, false, &envelope.Envelope{Kind: envelope.Publication, Room: e.Room, ID: id, Taken: benchEpoch, Content: e.Content,
					Position: envelope.Position{Epoch: 1, Offset: offset}})
			}
		} else if !p.tells {
			p.offsets[room]-- // the next one has its place
		}
	}
	c.Write(codec.AppendAck(nil, ack))
}

func (p *post) deliver(to *postConn, numbered bool, e *envelope.Envelope) {
	if to == nil {
		return
	}
	body, err := envelope.Append(nil, e)
	if err != nil {
		panic(err)
	}
	number := uint64(0)
	if numbered {
		p.next++
		number = p.next
	}
	to.Write(codec.AppendDeliver(nil, number, body))
}
