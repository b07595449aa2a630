package fanout

import (
	"time"

	"github.com/stormwheel/stormwheel/bench/lab/flood"
	"github.com/stormwheel/stormwheel/bench/lab/kit"
)

// A process has not so many descriptors as there are members while heartbeats are measured, so these are
// shared among nodes, each with one event loop in a process of its own. The nodes have a machine together where
// they would have one each. So one after the other publishes to its members, and the one that does is
// asked for PONGs: at any moment one loop walks over members, as with all of them on one.

// shares is how many members each node has.
func shares(members, fit int) (all []int) {
	nodes := (members + fit - 1) / fit
	for i := range nodes {
		all = append(all, members*(i+1)/nodes-members*i/nodes)
	}
	return all
}

// party is a node with its share of the members.
type party struct {
	*share
	crew    *crew
	members int
	figures map[string]float64 // of its members' gathering
}

func (p *party) close() {
	if p.crew != nil {
		p.crew.close()
	}
	p.share.close()
}

// gatherParty starts a node and its members, beside this process: those do not go before anything, as it does not.
func gatherParty(t kit.Task, members int) (p *party, err error) {
	p = &party{members: members}
	if p.share, err = startShare(t, ""); err != nil {
		return nil, err
	}
	if p.crew, err = startCrew(t, p.share.addr, members); err == nil {
		err = await(p.share, members)
	}
	if err == nil {
		p.figures = map[string]float64{}
		err = p.share.gather(p.figures)
	}
	if err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

// beat measures heartbeats without publications, and then with.
func beat(t kit.Task) (map[string]float64, error) {
	w, e, figures := workloadOf(t), effortOf(t.Effort), map[string]float64{}
	if load, ok := flood.Load(); ok {
		figures["load"] = load
	}
	var parties []*party
	defer func() {
		for _, p := range parties {
			p.close()
		}
	}()
	var addrs []string
	for _, members := range shares(e.beat, e.fit) {
		p, err := gatherParty(t, members)
		if err != nil {
			return nil, err
		}
		parties, addrs = append(parties, p), append(addrs, p.share.addr)
	}
	probes, err := startProbes(t, addrs)
	if err != nil {
		return nil, err
	}
	defer probes.close()
	for i, p := range parties {
		f := &flow{hub: p.share, crew: p.crew, workload: w, members: p.members, body: body()}
		if _, err := f.run(forTime(e.flood / 10)); err != nil { // until its buffers have their size
			return nil, err
		}
		time.Sleep(calm)
		if err := probes.ask(probing{Node: i}); err != nil {
			return nil, err
		}
		time.Sleep(e.flood / time.Duration(len(parties)))
		if err := probes.ask(probing{Node: i, Flows: true}); err != nil {
			return nil, err
		}
		messages, began := 0, time.Now()
		if messages, err = f.run(forTime(e.flood / time.Duration(len(parties)))); err != nil {
			return nil, err
		}
		figures["count"] += float64(messages)
		figures["seconds"] += time.Since(began).Seconds()
		if err := probes.ask(probing{Node: -1}); err != nil {
			return nil, err
		}
	}
	return figures, tellBeat(figures, probes, parties, e)
}

func tellBeat(figures map[string]float64, probes *probes, parties []*party, e effort) error {
	if err := probes.tell(figures); err != nil {
		return err
	}
	for _, p := range parties {
		of := map[string]float64{}
		p.share.end(of)
		for name, v := range of {
			figures[name] = max(figures[name], v)
		}
		for name, v := range p.figures {
			figures[name] += v / float64(len(parties))
		}
	}
	figures["messages"] = figures["count"] / figures["seconds"]
	figures["members"], figures["nodes"] = float64(e.beat), float64(len(parties))
	if idle := figures["idle_rtt_p99_ms"]; idle > 0 {
		figures["rtt_ratio"] = figures["rtt_p99_ms"] / idle
	}
	return nil
}
