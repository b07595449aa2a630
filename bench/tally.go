package bench

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
