package generator

import (
	"fmt"
	"slices"
	"strings"

	"github.com/stormwheel/stormwheel/bench/lab/kit"
	"github.com/stormwheel/stormwheel/bench/result"
)

func write(p *kit.Page, k *kit.Kept) error {
	runs, err := k.Beside("million.json")
	if err != nil {
		return err
	}
	earlier, err := k.Beside("million-[0-9]*.json")
	if err != nil {
		return err
	}
	runs = append(earlier, runs...)
	slices.SortStableFunc(runs, func(a, b *result.Result) int { return a.Started.Compare(b.Started) })
	larger, err := k.Beside("million-larger.json")
	if err != nil {
		return err
	}
	machine, err := k.Text(emulatedFile)
	if err != nil {
		return err
	}
	w := writer{p, k, effortOf(k.Effort)}
	p.WriteString("Every process is started for one measurement; what is compared takes turns. A cell is a median and [lowest - highest]; ratios are taken pairwise, by repeat.\n\n")
	p.Targets("figure", w.targets(runs))
	w.memory()
	w.connects()
	w.lateness()
	p.WriteString("### A million connections\n\n")
	if len(runs) == 0 {
		p.WriteString("Not measured: `make million`, then `go -C bench/lab run . write generator`, writes its figures here.\n")
	} else {
		p.WriteString("`make million` ")
		million(p, runs)
	}
	if len(larger) > 0 {
		p.WriteString("### A million connections on a larger machine\n\nThe command of `make million`, but for its rate of connects, ")
		million(p, larger)
	}
	emulated(p, machine)
	return nil
}

// writer makes the parts of the section.
type writer struct {
	*kit.Page
	k *kit.Kept
	e effort
}

// targets are what the generator is to reach.
func (w writer) targets(million []*result.Result) []kit.Target {
	k := w.k
	plain := k.Sample(memoryStep("plain"), "bytes")
	all := []kit.Target{
		{What: fmt.Sprintf("memory of a client in a process of %s", kit.Count(w.e.conns)), AtMost: new(512.0), Unit: " B", Of: k.Sample(memoryStep("swarm"), "bytes"),
			Why: "Four fifths are the client itself, in a slab; the return pass that WELCOME gave it, its id and the wheel's entry come on top."},
		{What: "a plain Go client takes", AtLeast: new(10.0), Unit: "x", Of: k.Paired(memoryStep("plain"), memoryStep("swarm"), "bytes", kit.Ratio),
			Why: fmt.Sprintf("Its goroutine's stack, its buffer and its net.Conn are %s B.", kit.Number(plain.Median))},
		{What: "connects, of a bare loop's", AtLeast: new(80.0), Unit: " %", Of: w.faster("swarm", "bare"), Why: w.whySlow("swarm", "dressed", "bare")},
		{What: "with the handshake", AtLeast: new(55.0), Unit: " %", Of: w.faster("swarm hello", "bare hello"), Why: w.whySlow("swarm hello", "dressed hello", "bare hello")},
		{What: fmt.Sprintf("lateness p99 at %s PINGs a second", kit.Number(w.e.pings)), AtMost: new(5.0), Unit: " ms", Of: k.Sample(lateStep, "late_p99"),
			Why: "The node and the clients share the cores; who waits for one is late."},
	}
	if len(million) > 0 {
		var walls []float64
		passed := 0
		for _, res := range million {
			walls = append(walls, res.WallS)
			if res.Verdict == result.Pass {
				passed++
			}
		}
		all = append(all,
			kit.Target{What: "`make million` is valid and passes", AtLeast: new(float64(len(million))), Of: kit.SampleOf([]float64{float64(passed)}),
				Got: fmt.Sprintf("%d of %d", passed, len(million)), Rounds: len(million)},
			kit.Target{What: "`make million`, teardown apart", AtMost: new(360.0), Unit: " s", Of: kit.SampleOf(walls),
				Why: "Most of it is the ramp, which is adaptive: clients come as fast as the load test is not late."})
	}
	return all
}

// faster is the rate of one way of connecting in percent of another's, round by round: what
// disturbs the machine in a round disturbs both.
func (w writer) faster(way, than string) kit.Sample {
	return w.k.Paired(connectsStep(way), connectsStep(than), "connects_s", kit.Ratio).Times(100)
}

func (w writer) whySlow(way, dressed, bare string) string {
	var b strings.Builder
	if refused := w.k.Sample(connectsStep(way), "refused"); refused.Median > 0 {
		fmt.Fprintf(&b, "All clients are due at once, and the swarm begins every connect that is due before it reads: %s attempts had said nothing when the node had too many such, were sent away, and came again later. ", kit.Number(refused.Median))
	}
	fmt.Fprintf(&b, "With the swarm's system calls the bare loop itself reaches %s %%.", kit.Number(w.faster(dressed, bare).Median))
	return b.String()
}

func (w writer) memory() {
	conns := kit.Count(w.e.conns)
	w.Printf("### Memory of a client\n\n%d repeats. User memory only: what the resident set of a process of %s clients that heartbeat every %v is larger than that of one of %d, by the clients that it has more. Each has connected, said HELLO, read WELCOME and had a PONG. \"Collected\" is after forced collections that gave the garbage back; the other is the process as it was before. A plain client is a `net.Conn` and a goroutine, which reads frames through a `bufio.Reader`, under a read deadline; a timer sends its PINGs.\n\n",
		w.e.repeats, conns, w.e.heartbeat, w.e.few)
	w.Compare(w.k, memoryStep(""), kit.Comparison{Rows: rows("memory"), Columns: []kit.Column{
		{Title: "collected, B", Name: "bytes", Spread: true},
		{Title: "as it was, B", Name: "bytes_was", Spread: true},
		{Title: fmt.Sprintf("process of %s, MiB", conns), Name: "many_mib", Spread: true},
		{Title: fmt.Sprintf("of %d, MiB", w.e.few), Name: "few_mib", Spread: true}}})
}

func (w writer) connects() {
	w.Printf("### Connects\n\n%d rounds of %s connections, all due at once, in one process and one thread that connects. A bare loop has %d of them in flight and makes socket, connect and one epoll_ctl for each; against bare gnet, which takes all and answers nothing. With the handshake it also writes HELLO and reads WELCOME; against a node whose admission holds nobody up.\n\n",
		w.e.rounds, kit.Count(w.e.connects), inFlight)
	w.Compare(w.k, connectsStep(""), kit.Comparison{Rows: rows("connects"), Columns: []kit.Column{
		{Title: "connects, 1/s", Name: "connects_s", Spread: true},
		{Title: "attempts refused", Name: "refused", Spread: true}}})
}

func (w writer) lateness() {
	w.Printf("### Lateness\n\n%d repeats: %s clients of one process, a heartbeat of %v, one node, held for %v. Late is how long after its due time a timer ran; the wheel's tick and epoll's are a millisecond. The figure above is of the whole run, the ramp of %.0f connects a second included; a second of the hold has a p99 of its own, and that of the whole hold is no higher than the worst of those.\n\n",
		w.e.repeats, kit.Count(w.e.conns), w.e.beat(), w.e.hold, w.e.ramp)
	var cells []string
	for _, name := range []string{"pings_s", "late_p99", "late_second", "late_worst", "late_max"} {
		cells = append(cells, w.k.Sample(lateStep, name).String())
	}
	w.Table([]string{"PINGs, 1/s", "p99 of the run, ms", "p99 of a second of the hold, ms", "worst second's, ms", "max of the run, ms"}, [][]string{cells})
}
