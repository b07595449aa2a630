package cluster

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/stormwheel/stormwheel/bench/lab/fanout"
	"github.com/stormwheel/stormwheel/bench/lab/flood"
	"github.com/stormwheel/stormwheel/bench/lab/kit"
	"github.com/stormwheel/stormwheel/cluster/natsbus"
	"github.com/stormwheel/stormwheel/internal/freeport"
	"github.com/stormwheel/stormwheel/internal/machine"
	"github.com/stormwheel/stormwheel/messaging"
)

const (
	roomSize  = 32 // bytes of a message
	roomTimes = 10 // messages at once, where as many are said as can be
	roomDepth = 2  // times that many are under way
)

// duo is two nodes of a cluster, in this process, at each of which are members of one room. What is said is said at the first.
type duo struct {
	addrs  [2]string
	joined func() int
	say    func(body []byte) error
	marks  int // in a message, beside those of its body
	end    func()
}

// measureRooms tells how many messages a second come to all members of a room at two nodes, and how long one takes.
func measureRooms(t kit.Task) (map[string]float64, error) {
	defer machine.Hurry()()
	e, figures := effortOf(t.Effort), map[string]float64{}
	if load, ok := flood.Load(); ok {
		figures["load"] = load
	}
	d, err := startDuo(t.Subject)
	if err != nil {
		return nil, err
	}
	defer d.end()
	crew := fanout.OfHub
	if t.Subject == others {
		crew = fanout.Others
	}
	r := room{duo: d, members: e.members, body: bytes.Repeat([]byte{fanout.Mark}, roomSize)}
	for i, addr := range d.addrs {
		if r.crews[i], err = fanout.StartCrew(crew, addr, e.members); err != nil {
			return nil, err
		}
		defer r.crews[i].Close()
	}
	for until := time.Now().Add(time.Minute); d.joined() < 2*e.members; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(until) {
			return nil, fmt.Errorf("%d of %d clients have come", d.joined(), 2*e.members)
		}
	}
	return figures, r.measure(e.phase, figures)
}

// room is what is said in one.
type room struct {
	*duo
	crews   [2]fanout.Crew
	members int // at each node
	body    []byte
}

func (r *room) measure(d time.Duration, figures map[string]float64) error {
	if _, _, err := r.flow(d/4, 1, 1); err != nil { // until its buffers have their size
		return err
	}
	_, took, err := r.flow(d/2, 1, 1)
	if err != nil {
		return err
	}
	slices.Sort(took)
	figures["one_ms"] = took[len(took)/2].Seconds() * 1000
	used, began := flood.CPU(), time.Now()
	messages, _, err := r.flow(d, roomTimes, roomDepth)
	figures["messages"] = messages / time.Since(began).Seconds()
	figures["messages_core"] = messages / (flood.CPU() - used).Seconds()
	return err
}

// flow says so many messages at once, again and again, until time is over; took is how long each time took that was alone.
func (r *room) flow(d time.Duration, times, depth int) (messages float64, took []time.Duration, err error) {
	wait := func(marks int) error { return errors.Join(r.crews[0].Wait(marks), r.crews[1].Wait(marks)) }
	if err := wait(0); err != nil {
		return 0, nil, err
	}
	began, under := time.Now(), 0
	for time.Since(began) < d || under > 0 {
		at := time.Now()
		for ; time.Since(began) < d && under < depth; under++ {
			for range times {
				if err := r.say(r.body); err != nil {
					return 0, nil, err
				}
			}
			messages += float64(times * 2 * r.members)
		}
		if err := wait(times * r.members * (len(r.body) + r.marks)); err != nil {
			return 0, nil, err
		}
		took = append(took, time.Since(at))
		under--
	}
	return messages, took, nil
}

func startDuo(subject string) (*duo, error) {
	if subject == ours {
		addrs, err := freeport.Loopback(2)
		if err != nil {
			return nil, err
		}
		return startOurs(func(i int) natsbus.Config {
			return natsbus.Config{Node: string(rune('a' + i)), Listen: addrs[i], Peers: addrs, Secrets: secret}
		}, func() {})
	}
	by, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: server.RANDOM_PORT, NoSigs: true, NoLog: true})
	if err != nil {
		return nil, err
	}
	by.Start()
	if !by.ReadyForConnections(10 * time.Second) {
		return nil, errors.New("the NATS does not begin")
	}
	if subject == others {
		return startTheirs(by.ClientURL(), by.Shutdown)
	}
	return startOurs(func(i int) natsbus.Config {
		return natsbus.Config{Node: string(rune('a' + i)), Servers: by.ClientURL()}
	}, by.Shutdown)
}

// startOurs starts two nodes with hubs.
func startOurs(bus func(i int) natsbus.Config, after func()) (*duo, error) {
	d, all := new(duo), [2]*member{}
	for i := range all {
		m, err := joinBy(bus(i))
		if err == nil {
			err = m.carry(messaging.Config{JoinRate: -1})
		}
		if err != nil {
			return nil, err
		}
		all[i], d.addrs[i] = m, m.srv.Addr()
	}
	if err := errors.Join(all[0].meet(1), all[1].meet(1)); err != nil {
		return nil, err
	}
	said := uint64(0)
	say := func(body []byte) (at uint64, err error) {
		said++
		pos, err := all[0].hub.PushRoom(context.Background(), fanout.Room, messaging.Message{ID: messaging.ID{Sender: "lab", Incarnation: 1, Number: said}, Content: body})
		return pos.Epoch, err
	}
	epoch, err := say(nil)
	if err != nil {
		return nil, err
	}
	d.marks = bytes.Count(binary.BigEndian.AppendUint64(nil, epoch), []byte{fanout.Mark})
	d.say = func(body []byte) error { _, err := say(body); return err }
	d.joined = func() int { return int(all[0].hub.Stats().Members + all[1].hub.Stats().Members) }
	d.end = func() { all[0].end(); all[1].end(); after() }
	return d, nil
}

func startTheirs(url string, after func()) (*duo, error) {
	d, all := new(duo), [2]*centrifugeNode{}
	for i := range all {
		c, err := startCentrifuge(url)
		if err != nil {
			return nil, err
		}
		all[i], d.addrs[i] = c, c.addr
	}
	d.say = func(body []byte) error {
		_, err := all[0].node.Publish(fanout.Room, body)
		return err
	}
	d.joined = func() int {
		return all[0].node.Hub().NumSubscribers(fanout.Room) + all[1].node.Hub().NumSubscribers(fanout.Room)
	}
	d.end = func() { all[0].end(); all[1].end(); after() }
	return d, nil
}
