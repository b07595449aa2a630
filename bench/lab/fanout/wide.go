package fanout

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stormwheel/stormwheel/bench/lab/flood"
	"github.com/stormwheel/stormwheel/bench/lab/kit"
	"github.com/stormwheel/stormwheel/cluster"
	"github.com/stormwheel/stormwheel/cluster/natsbus"
	"github.com/stormwheel/stormwheel/internal/freeport"
	"github.com/stormwheel/stormwheel/messaging"
)

// WideMessages is how many are said in a room whose members are at many nodes.
const WideMessages = 5

// startRooms is a node of several that know each other: of is its place among them, and where all find each other.
func startRooms(of []string) (hub, string, error) {
	var place int
	if _, err := fmt.Sscan(of[0], &place); err != nil {
		return nil, "", err
	}
	name, peers := fmt.Sprint("node", place), of[1:]
	bus, err := natsbus.New(natsbus.Config{Node: name, Listen: peers[place], Peers: peers, Secrets: [][]byte{[]byte("0123456789abcdef0123456789abcdef")}})
	if err != nil {
		return nil, "", err
	}
	others, err := cluster.New(cluster.Config{Node: name, Bus: bus})
	if err != nil {
		return nil, "", err
	}
	n, err := runRoom(messaging.Config{Name: name, Peers: others}, name)
	if err != nil {
		return nil, "", err
	}
	ctx, cancel := context.WithTimeout(context.Background(), joinTime)
	defer cancel()
	return n, n.srv.Addr(), others.Meet(ctx, len(peers)-1)
}

// wide has a room with members at as many nodes as these need descriptors, and says messages at the first of them.
func wide(t kit.Task) (map[string]float64, error) {
	e, figures := effortOf(t.Effort), map[string]float64{}
	if load, ok := flood.Load(); ok {
		figures["load"] = load
	}
	parties, err := meet(t, shares(e.beat, e.fit))
	defer func() {
		for _, p := range parties {
			p.close()
		}
	}()
	if err != nil {
		return nil, err
	}
	for _, p := range parties {
		if p.crew, err = startCrew(t, p.addr, p.members); err != nil {
			return nil, err
		}
		if err := await(p.share, p.members); err != nil {
			return nil, err
		}
	}
	first := parties[0]
	if err := first.gather(figures); err != nil { // the first message
		return nil, err
	}
	for until := time.Now().Add(joinTime); ; time.Sleep(calm) { // nodes tell each other their counts once a second
		members, err := first.inRoom()
		if err != nil {
			return nil, err
		}
		if figures["told"] = float64(members); members == e.beat || time.Now().After(until) {
			break
		}
	}
	took, strays, err := say(parties)
	if err != nil {
		return nil, err
	}
	slices.Sort(took)
	figures["members"], figures["nodes"], figures["strays"] = float64(e.beat), float64(len(parties)), float64(strays)
	figures["all_ms"] = took[len(took)/2].Seconds() * 1000
	return figures, nil
}

// meet starts nodes, each of which waits for the others.
func meet(t kit.Task, of []int) (parties []*party, err error) {
	peers, err := freeport.Loopback(len(of))
	if err != nil {
		return nil, err
	}
	type started struct {
		place int
		*share
		err error
	}
	all := make(chan started, len(of))
	for place := range of {
		go func() {
			s, err := startShare(t, fmt.Sprint(place, " ", strings.Join(peers, " ")))
			all <- started{place, s, err}
		}()
	}
	byPlace := make([]*party, len(of))
	for range of {
		s := <-all
		if s.err != nil {
			err = errors.Join(err, s.err)
			continue
		}
		byPlace[s.place] = &party{share: s.share, members: of[s.place]}
	}
	return slices.DeleteFunc(byPlace, func(p *party) bool { return p == nil }), err
}

// say says messages, one when all have the one before, and tells how long each took, and how many marks too many or too few
// the members have read: a message is the same bytes for all of them.
func say(parties []*party) (took []time.Duration, strays int, err error) {
	body := []byte(strings.Repeat(string(mark), bodySize)) // so that a mark in an offset or a time is no great matter
	each := parties[0].marks(body)
	for range WideMessages {
		before := make([]int, len(parties))
		time.Sleep(calm) // what came twice would have come
		for i, p := range parties {
			if before[i], err = p.crew.begin(); err != nil {
				return nil, 0, err
			}
		}
		began := time.Now()
		if err := parties[0].publish(body, 1); err != nil {
			return nil, 0, err
		}
		for _, p := range parties {
			if err := p.crew.wait(each * p.members); err != nil {
				return nil, 0, err
			}
		}
		took = append(took, time.Since(began))
		time.Sleep(calm)
		read := make([]int, len(parties))
		for i, p := range parties {
			after, err := p.crew.begin()
			if err != nil {
				return nil, 0, err
			}
			read[i] = after - before[i]
		}
		marks := (read[0] + parties[0].members/2) / parties[0].members // of this message, its offset and its time included
		for i, p := range parties {
			strays += max(read[i]-marks*p.members, marks*p.members-read[i])
		}
	}
	return took, strays, nil
}
