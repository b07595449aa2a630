package promises

import (
	"github.com/stormwheel/stormwheel/bench/lab/kit"
	"github.com/stormwheel/stormwheel/internal/siege"
)

func write(p *kit.Page, k *kit.Kept) error {
	s := sizeOf(k)
	p.Printf(`## What a node promises under attack and fault

`+"`%s`"+`, that is:

`+"```sh\n%s\n%s\n%s\n```"+`

%s

Nodes, clients and load test share this machine. A figure is that of a run: the median [the
lowest - the highest]. A promise is reached when its worst run keeps it; round trips are
pooled over the runs, begin with the write of the PING, and may become twice as long, or 10 ms
longer.
`,
		k.Command, s.silence().command(), s.killing().command(), s.draining().command(), k.Where)

	p.Printf("\n### %d clients fall silent at once beside %d that live\n\n", s.silent, s.live)
	if err := judged(p, k, s.silence(), s.ofSilence); err != nil {
		return err
	}
	p.Printf("### A node of %d clients is killed\n\n", s.hit)
	p.Printf("The other, which has %d, admits %d a second: ideally %.2f s.\n\n", s.spared, s.admit, s.ideal())
	if err := judged(p, k, s.killing(), s.ofStorm); err != nil {
		return err
	}
	p.Printf("### A node of %d clients is drained\n\n", s.moved)
	p.Printf("Its pace, and what the other admits, is %d a second.\n\n", s.pace)
	if err := judged(p, k, s.draining(), s.ofDrain); err != nil {
		return err
	}
	p.Printf("### All adversaries at once\n\nSeveral of every kind of internal/siege come again and again for %v, after half of that to warm up; beside them\n%d clients that behave, and newcomers.\n\n", s.siege, siege.CrowdSize)
	for _, r := range k.Records {
		if r.Workload == siegeStep.Workload && r.Problem == "" {
			p.Targets("promise", ofSiege(r))
		}
	}
	return nil
}

// judged is the table of an experiment, if it was made.
func judged(p *kit.Page, k *kit.Kept, e experiment, judge func(outcome) []kit.Target) error {
	o, err := e.outcome(k)
	if err != nil {
		return err
	}
	if len(o.runs) == 0 {
		p.Printf("Not measured: %s.\n\n", k.Problem(e.step()))
		return nil
	}
	p.Targets("promise", judge(o))
	if n := kit.Late(o.runs); n > 0 {
		p.Printf("The load test itself was too late for the figures of %d of these runs to count.\n\n", n)
	}
	return nil
}
