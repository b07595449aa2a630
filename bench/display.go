package bench

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"

	"github.com/stormwheel/stormwheel/bench/handshakes"
	"github.com/stormwheel/stormwheel/bench/result"
)

// display shows a run while it runs. Safe for concurrent use.
type display struct {
	target int // clients

	mu     sync.Mutex
	text   io.Writer
	csv    *bufio.Writer
	csvErr error
}

// row is one second of a run, and what the CSV has beyond it.
type row struct {
	result.Second
	started int
	shakes  bool // it makes handshakes, and has no clients
}

const csvHeader = "t_s,ready,started,lost_per_s,attempts_per_s,established_per_s,failed_per_s,goodput_per_s,pings_per_s,pongs_per_s,unanswered," +
	"rtt_p50_ms,rtt_p99_ms,rtt_max_ms,late_p99_ms,sent_per_s,acknowledged_per_s,delivered_per_s,undelivered_per_s,message_p50_ms,message_p99_ms,deliver_p50_ms,deliver_p99_ms,muted,evicted,early,false,storm_clients,storm_back\n"

func newDisplay(v View, target int) *display {
	d := &display{target: target, text: v.Progress}
	if d.text == nil {
		d.text = io.Discard
	}
	if v.CSV != nil {
		d.csv = bufio.NewWriter(v.CSV)
		_, d.csvErr = d.csv.WriteString(csvHeader)
	}
	return d
}

func (d *display) line(s string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	fmt.Fprintln(d.text, s)
}

func (d *display) show(r row) {
	d.mu.Lock()
	defer d.mu.Unlock()
	fmt.Fprintln(d.text, r.text(d.target))
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

// shaken notes the TLS handshakes of a run of those.
func (r *row) shaken(h handshakes.Recent) error {
	r.shakes, r.Handshakes, r.HandshakesFailed = true, h.Ended, h.Failed
	if h.Latency != nil {
		p := h.Latency.Percentiles()
		r.HandshakeP50, r.HandshakeP99 = &p.P50, &p.P99
	}
	return h.Latency.SetTimes(&r.Second, "handshake")
}

// handshakes is the text of such a run.
func (r row) handshakes() string {
	text := fmt.Sprintf("%6.1fs  %5d handshakes/s", r.T, r.Handshakes)
	if r.HandshakesFailed > 0 {
		text += fmt.Sprintf("  FAILED %d", r.HandshakesFailed)
	}
	if r.HandshakeP50 != nil {
		text += fmt.Sprintf("  p50 %.1f p99 %.1f ms", *r.HandshakeP50, *r.HandshakeP99)
	}
	return text
}

// text is what there is to see; parts that have nothing to tell are left out.
func (r row) text(target int) string {
	if r.shakes {
		return r.handshakes()
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%6.1fs  %s %6d ready  %5d connects/s", r.T, bar(r.Ready, target), r.Ready, r.Attempts)
	if r.Muted > 0 {
		fmt.Fprintf(&b, "  evicted %d/%d", r.Evicted, r.Muted)
	}
	if r.False > 0 {
		fmt.Fprintf(&b, "  FALSE %d", r.False)
	}
	if r.StormClients > 0 {
		fmt.Fprintf(&b, "  back %d/%d", r.StormBack, r.StormClients)
	}
	fmt.Fprintf(&b, "  %5d pings/s", r.Pings)
	if r.RTTp50 != nil {
		fmt.Fprintf(&b, "  rtt p50 %.1f p99 %.1f ms", *r.RTTp50, *r.RTTp99)
	}
	for _, bad := range []struct {
		word string
		n    int
	}{{"UNANSWERED", r.Unanswered}, {"LOST", r.Lost}, {"FAILED", r.Failed}} {
		if bad.n > 0 {
			fmt.Fprintf(&b, "  %s %d", bad.word, bad.n)
		}
	}
	if r.Sent+r.Acknowledged > 0 {
		fmt.Fprintf(&b, "  %d sent/s, %d acknowledged", r.Sent, r.Acknowledged)
	}
	if r.MessageP50 != nil {
		fmt.Fprintf(&b, ", p50 %.1f p99 %.1f ms", *r.MessageP50, *r.MessageP99)
	}
	if r.Delivered > 0 {
		fmt.Fprintf(&b, "  %d delivered/s", r.Delivered)
	}
	if r.Undelivered > 0 {
		fmt.Fprintf(&b, "  UNDELIVERED %d", r.Undelivered)
	}
	if r.DeliverP50 != nil {
		fmt.Fprintf(&b, ", p50 %.1f p99 %.1f ms", *r.DeliverP50, *r.DeliverP99)
	}
	return b.String()
}

const barWidth = 20

func bar(n, of int) string {
	full := min(max(n*barWidth/max(of, 1), 0), barWidth)
	return "[" + strings.Repeat("#", full) + strings.Repeat(".", barWidth-full) + "]"
}

func (r row) csv() string {
	fields := []string{strconv.FormatFloat(r.T, 'f', 3, 64)}
	for _, n := range []int{r.Ready, r.started, r.Lost, r.Attempts, r.Established, r.Failed, r.Goodput, r.Pings, r.Pongs, r.Unanswered} {
		fields = append(fields, strconv.Itoa(n))
	}
	times := func(all ...float64) {
		for _, ms := range all {
			fields = append(fields, strconv.FormatFloat(ms, 'f', 2, 64))
		}
	}
	times(orZero(r.RTTp50), orZero(r.RTTp99), orZero(r.RTTMax), orZero(r.LateP99))
	for _, n := range []int{r.Sent, r.Acknowledged, r.Delivered, r.Undelivered} {
		fields = append(fields, strconv.Itoa(n))
	}
	times(orZero(r.MessageP50), orZero(r.MessageP99), orZero(r.DeliverP50), orZero(r.DeliverP99))
	for _, n := range []int{r.Muted, r.Evicted, r.Early, r.False, r.StormClients, r.StormBack} {
		fields = append(fields, strconv.Itoa(n))
	}
	return strings.Join(fields, ",") + "\n"
}

// orZero is how the CSV has a time that there was none of.
func orZero(ms *float64) float64 {
	if ms == nil {
		return 0
	}
	return *ms
}
