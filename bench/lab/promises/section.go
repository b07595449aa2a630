package promises

import (
	"fmt"
	"slices"

	"github.com/stormwheel/stormwheel/bench/lab/kit"
	"github.com/stormwheel/stormwheel/bench/result"
	"github.com/stormwheel/stormwheel/internal/siege"
)

func write(p *kit.Page, k *kit.Kept) error {
	s := sizeOf(k)
	p.Shell(s.silence().String(), s.killing().String(), s.draining().String())
	p.WriteString(`Nodes, clients and load test share this machine. A figure is that of a run: the median [the
lowest - the highest]. A promise is reached when its worst run keeps it; round trips are
pooled over the runs, begin with the write of the PING, and may become twice as long, or 10 ms
longer.

`)
	for _, part := range []struct {
		title, text string
		play        kit.Play
		judge       func(outcome) []kit.Target
	}{
		{fmt.Sprintf("%d clients fall silent at once beside %d that live", s.silent, s.live), "", s.silence(), s.ofSilence},
		{fmt.Sprintf("A node of %d clients is killed", s.hit),
			fmt.Sprintf("The other, which has %d, admits %d a second: ideally %.2f s.\n\n", s.spared, s.admit, s.ideal()), s.killing(), s.ofStorm},
		{fmt.Sprintf("A node of %d clients is drained", s.moved),
			fmt.Sprintf("Its pace, and what the other admits, is %d a second.\n\n", s.pace), s.draining(), s.ofDrain},
	} {
		p.Printf("### %s\n\n%s", part.title, part.text)
		o, err := outcomeOf(k, part.play)
		if err != nil {
			return err
		}
		if len(o.runs) == 0 {
			p.Printf("Not measured: %s.\n\n", k.Problem(part.play.Step))
			continue
		}
		p.Targets("promise", part.judge(o))
		late := slices.DeleteFunc(slices.Clone(o.runs), func(r *result.Result) bool { return r.Verdict != result.Invalid })
		if len(late) > 0 {
			p.Printf("The load test itself was too late for the figures of %d of these runs to count.\n\n", len(late))
		}
	}
	p.Printf("### All adversaries at once\n\nSeveral of every kind of internal/siege come again and again for %v, after half of that to warm up; beside them\n%d clients that behave, and newcomers.\n\n", s.siege, siege.CrowdSize)
	for _, r := range k.Records {
		if r.Workload == siegeStep.Workload && r.Problem == "" {
			p.Targets("promise", ofSiege(r))
		}
	}
	return nil
}
