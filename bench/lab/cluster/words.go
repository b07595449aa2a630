package cluster

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/stormwheel/stormwheel/bench/lab/kit"
	"github.com/stormwheel/stormwheel/bench/lab/messages"
	"github.com/stormwheel/stormwheel/cluster"
	"github.com/stormwheel/stormwheel/messaging"
)

const (
	wordsRate  = 500 // messages a second between users
	wordsUsers = 6   // at as many nodes, or at all
	wordsRooms = 100
	wordsSaid  = 300 // messages to rooms
)

// measureWords counts what nodes with hubs say to each other, by a bus in memory, for a message to a user whose place is known,
// and for one to a room.
func measureWords(t kit.Task) (map[string]float64, error) {
	var net cluster.Memory
	var said traffics
	var all []*member
	defer func() {
		for _, m := range all {
			m.end()
		}
	}()
	homes := -1
	if t.Subject == homed {
		homes = 1
	}
	var targets []string
	for i := range t.Size {
		name := fmt.Sprintf("node-%03d", i)
		m := new(member)
		var err error
		m.Node, err = cluster.New(cluster.Config{Node: name, Bus: counted{net.Bus(name), int64(t.Size - 1), &said}, HomesAbove: homes})
		if err == nil {
			err = m.carry(messaging.Config{MessageRate: -1})
		}
		if err != nil {
			return nil, err
		}
		all, targets = append(all, m), append(targets, m.srv.Addr())
	}
	for _, m := range all {
		if err := m.meet(t.Size - 1); err != nil {
			return nil, err
		}
	}
	for until := time.Now().Add(20 * time.Second); all[0].Status().Homes != (homes > 0); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(until) {
			return nil, errors.New("there are no homes")
		}
	}
	figures := map[string]float64{}
	if err := said.betweenUsers(targets, effortOf(t.Effort).phase/2, figures); err != nil {
		return nil, err
	}
	return figures, said.inRooms(all, figures)
}

// betweenUsers has a few users send to others at the next node.
func (c *traffics) betweenUsers(targets []string, phase time.Duration, figures map[string]float64) error {
	var before, spent traffic
	users := min(wordsUsers, 2*len(targets))
	told, err := messages.Talk{Targets: targets, Users: users, To: func(user int) int { return (user + 1) % users }, Depth: 1, Rate: wordsRate, Phase: phase,
		Begins: func() { before = c.now() },
		Ends: func(phase string) {
			if phase == "paced" {
				spent = c.now().less(before)
			}
		}}.Run()
	if err != nil {
		return err
	}
	figures["user_messages"], figures["user_bytes"] = spent.messages/told["paced_count"], spent.bytes/told["paced_count"]
	return nil
}

// inRooms has all nodes say something in rooms, of which they are the homes.
func (c *traffics) inRooms(all []*member, figures map[string]float64) error {
	before := c.now()
	for i := range wordsSaid {
		m := all[i%len(all)]
		if _, err := m.hub.PushRoom(context.Background(), fmt.Sprint("room", i%wordsRooms), messaging.Message{Content: make([]byte, contentSize)}); err != nil {
			return err
		}
	}
	spent := c.now().less(before)
	figures["room_messages"], figures["room_bytes"] = spent.messages/wordsSaid, spent.bytes/wordsSaid
	return nil
}

// traffics is what goes by a bus, but for announcements, as often as it comes.
type traffics struct{ messages, bytes atomic.Int64 }

func (c *traffics) now() traffic {
	return traffic{float64(c.messages.Load()), float64(c.bytes.Load())}
}

func (t traffic) less(o traffic) traffic { return traffic{t.messages - o.messages, t.bytes - o.bytes} }

// counted is a bus of which that is counted.
type counted struct {
	cluster.Bus
	others int64
	c      *traffics
}

func (b counted) Publish(subject string, body []byte) error {
	times := int64(1)
	switch subject {
	case "sw.n":
		times = 0
	case "sw.all":
		times = b.others
	}
	b.c.messages.Add(times)
	b.c.bytes.Add(times * int64(len(body)))
	return b.Bus.Publish(subject, body)
}
