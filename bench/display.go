package bench

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"time"
)

// display shows a run while it runs. Safe for concurrent use.
type display struct {
	plan *plan

	mu     sync.Mutex
	text   io.Writer
	csv    *bufio.Writer
	csvErr error
}

// row is one second of a run.
type row struct {
	at     time.Duration
	ready  int
	counts counters
	last   counters // as of a second before
	p50    float64  // RTT of this second, milliseconds
	p99    float64
}

const csvHeader = "t_s,ready,started,attempts_per_s,established_per_s,goodput_per_s,pings_per_s,pongs_per_s," +
	"rtt_p50_ms,rtt_p99_ms,muted,evicted,early,false,storm_clients,storm_back\n"

func newDisplay(v View, p *plan) *display {
	d := &display{plan: p, text: v.Progress}
	if d.text == nil {
		d.text = io.Discard
	}
	if v.CSV != nil {
		d.csv = bufio.NewWriter(v.CSV)
		_, d.csvErr = d.csv.WriteString(csvHeader)
	}
	return d
}

// monitor shows a row a second until ctx ends, and samples the nodes.
func (r *runner) monitor(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	var last row
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		counts, recent := r.fleet.Progress()
		now := row{at: r.fleet.Now(), ready: r.fleet.Ready(), counts: counts, last: last.counts,
			p50: recentMs(recent.RTT.ValueAtQuantile(50)), p99: recentMs(recent.RTT.ValueAtQuantile(99))}
		r.view.show(now)
		last = now
		r.sampleServers(ctx)
		r.mu.Lock()
		second := now.second(r.observed())
		r.seconds = append(r.seconds, second)
		r.mu.Unlock()
		if r.watch != nil {
			r.tell("", r.status(now, second, recent))
		}
	}
}

// say tells of an event, with its time.
func (r *runner) say(format string, args ...any) {
	event := fmt.Sprintf(format, args...)
	r.view.line(fmt.Sprintf("%6.1fs  * %s", r.fleet.Now().Seconds(), event))
	r.tell(event, nil)
}

func (d *display) line(s string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	fmt.Fprintln(d.text, s)
}

func (d *display) show(r row) {
	d.mu.Lock()
	defer d.mu.Unlock()
	fmt.Fprintln(d.text, r.text(d.plan.Conns))
	if d.csv != nil && d.csvErr == nil {
		_, _ = d.csv.WriteString(r.csv()) // Flush has the error
		d.csvErr = d.csv.Flush()          // a run may be killed at any time
	}
}

func (d *display) close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.csv == nil {
		return nil
	}
	if d.csvErr == nil {
		d.csvErr = d.csv.Flush()
	}
	return d.csvErr
}

// text is what there is to see; parts that have nothing to tell are left out.
func (r row) text(target int) string {
	c, before := &r.counts, &r.last
	var b strings.Builder
	fmt.Fprintf(&b, "%6.1fs  %s %6d ready  %5d connects/s", r.at.Seconds(), bar(r.ready, target), r.ready, c.Attempts-before.Attempts)
	if c.Muted > 0 {
		fmt.Fprintf(&b, "  evicted %d/%d", c.Observed, c.Muted)
	}
	if c.Falsely > 0 {
		fmt.Fprintf(&b, "  FALSE %d", c.Falsely)
	}
	if c.StormClients > 0 {
		fmt.Fprintf(&b, "  back %d/%d", c.StormBack, c.StormClients)
	}
	fmt.Fprintf(&b, "  %5d pings/s", c.Pings-before.Pings)
	if c.Pongs > before.Pongs {
		fmt.Fprintf(&b, "  rtt p50 %.1f p99 %.1f ms", r.p50, r.p99)
	}
	return b.String()
}

const barWidth = 20

func bar(n, of int) string {
	full := min(max(n*barWidth/max(of, 1), 0), barWidth)
	return "[" + strings.Repeat("#", full) + strings.Repeat(".", barWidth-full) + "]"
}

func (r row) csv() string {
	c, before := &r.counts, &r.last
	fields := []string{strconv.FormatFloat(r.at.Seconds(), 'f', 3, 64)}
	for _, n := range []int{r.ready, c.Started, c.Attempts - before.Attempts, c.Established - before.Established,
		c.Regained - before.Regained, c.Pings - before.Pings, c.Pongs - before.Pongs} {
		fields = append(fields, strconv.Itoa(n))
	}
	for _, ms := range []float64{r.p50, r.p99} {
		fields = append(fields, strconv.FormatFloat(ms, 'f', 2, 64))
	}
	for _, n := range []int{c.Muted, c.Observed, c.Early, c.Falsely, c.StormClients, c.StormBack} {
		fields = append(fields, strconv.Itoa(n))
	}
	return strings.Join(fields, ",") + "\n"
}
