package bench

import "time"

// tally is what is known when a swarm has finished. Its fields are public for gob.
type tally struct {
	Counters    counters
	Storm       stormTally
	Cohorts     []stormTally // its parts, if there are cohorts
	Probes      *probeTally
	Ready, Peak int
	RTT         *hist
	RTTActual   *hist
	RTTIntended *hist
	Connect     *hist
	// ConnectIntended is from the intended arrival.
	ConnectIntended *hist
	Late            *hist
	Lateness        *hist
}

func newTally() tally {
	return tally{Storm: newStormTally(), Probes: newProbeTally(),
		RTT: newHist(), RTTActual: newHist(), RTTIntended: newHist(), Connect: newHist(), ConnectIntended: newHist(), Late: newHist(), Lateness: newHist()}
}

// merge adds what another swarm of the same run has. Peaks are not its business.
func (t *tally) merge(o *tally) {
	t.Counters.add(&o.Counters)
	t.Storm.merge(o.Storm)
	for i, one := range o.Cohorts {
		if i == len(t.Cohorts) {
			t.Cohorts = append(t.Cohorts, newStormTally())
		}
		t.Cohorts[i].merge(one)
	}
	t.Probes.merge(o.Probes)
	t.Ready += o.Ready
	t.RTT.merge(o.RTT)
	t.RTTActual.merge(o.RTTActual)
	t.RTTIntended.merge(o.RTTIntended)
	t.Connect.merge(o.Connect)
	t.ConnectIntended.merge(o.ConnectIntended)
	t.Late.merge(o.Late)
	t.Lateness.merge(o.Lateness)
}

// secondOf is one second of a run, of which the counts at its begin and at its end are known.
func secondOf(at time.Duration, ready int, now, before *counters) Second {
	return Second{T: at.Seconds(), Ready: ready,
		Attempts: now.Attempts - before.Attempts, Established: now.Established - before.Established, Goodput: now.Regained - before.Regained,
		Pings: now.Pings - before.Pings, Pongs: now.Pongs - before.Pongs,
		Muted: now.Muted, Evicted: now.Observed, Early: now.Early, False: now.Falsely,
		StormClients: now.StormClients, StormBack: now.StormBack}
}

// serverSeconds are what servers cost and hold; nothing is known of one that was killed.
func serverSeconds(servers []Server) (all []ServerSecond) {
	for _, n := range servers {
		one := ServerSecond{RSSBytes: n.RSSBytes, CPUS: n.CPUS, Conns: n.Conns, FDs: n.FDs}
		if n.Killed {
			one = ServerSecond{}
		}
		all = append(all, one)
	}
	return all
}
