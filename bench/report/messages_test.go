package report

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/stormwheel/stormwheel/bench/result"
	"github.com/stormwheel/stormwheel/internal/plot"
)

// carry has a run carry messages, the publications of which came every other second.
func carry(t testing.TB, r *result.Result) {
	t.Helper()
	some := &result.Percentiles{P50: 1, P90: 2, P99: 30, P999: 40, Max: 50}
	r.Messages = &result.Messages{Sent: 100, Acknowledged: 98, Refused: 1, Lost: 1, Doubled: 3, Published: 50, Delivered: 48, Undelivered: 2, Offline: 1,
		LatencyMs: some, WireLatencyMs: some, DeliverLatencyMs: some}
	for _, name := range []string{"messages", "messages_wire", "deliveries"} {
		r.Detail.Histograms[name] = histogram(t, 100, 100, 50_000)
	}
	for i := range r.Detail.Seconds {
		s := &r.Detail.Seconds[i]
		s.Sent, s.Acknowledged, s.MessageP50, s.MessageP99 = 10, 9, new(1.0), new(30.0)
		s.RTTp99 = new(.5)
		if i%2 == 0 {
			s.Delivered, s.Undelivered, s.DeliverP50, s.DeliverP99 = 10, 1, new(1.0), new(25.0)
		}
	}
}

func TestARunWithMessagesHasTheirPictures(t *testing.T) {
	r := demo(t)
	with := []string{"latency", "messages", "message-latency"}
	for _, file := range with {
		if slices.Contains(files(r), file) {
			t.Errorf("a run without messages has %s", file)
		}
	}
	carry(t, r.Result)
	for _, file := range with {
		if !slices.Contains(files(r), file) {
			t.Errorf("a run with messages has no %s", file)
		}
	}
	p := named(t, r, "latency")
	var labels []string
	shaded := false
	for _, l := range p.Layers {
		switch l := l.(type) {
		case plot.Line:
			labels = append(labels, l.Label)
		case plot.Shade:
			shaded = l.From == *r.Result.Detail.StormAtS && l.To == l.From+*r.Result.Storm.T100S
		}
	}
	if len(labels) != 3 || !shaded {
		t.Errorf("latency has lines %q, and the time away shaded: %v", labels, shaded)
	}
}

func TestWhoTalkedIsToldOfCopiesAndTicks(t *testing.T) {
	r := demo(t)
	carry(t, r.Result)
	r.Result.Scenario = result.Talk
	m := r.Result.Messages
	m.Durable, m.Held, m.HeldLost, m.Confirmed, m.ConfirmLatencyMs = 20, 7, 3, 95, m.LatencyMs
	r.Result.Detail.Histograms["confirmations"] = histogram(t, 100, 100, 50_000)
	var page bytes.Buffer
	if err := WriteHTML(&page, r); err != nil {
		t.Fatal(err)
	}
	for _, words := range []string{"copies: to addressees", "20, 7, 3, 95", "two ticks, from due time to their sender", "20 durable, 7 held"} {
		if !strings.Contains(page.String(), words) {
			t.Errorf("the page does not say %q", words)
		}
	}
	if strings.Contains(page.String(), "publication") {
		t.Error("the page speaks of publications")
	}
}

func TestMessagesAreAmongTheFiguresAndCompared(t *testing.T) {
	a, b := demo(t), demo(t)
	a.Name, b.Name = "a", "b"
	carry(t, a.Result)
	carry(t, b.Result)
	b.Result.Messages.Lost = 5
	var page, table bytes.Buffer
	if err := WriteHTML(&page, a); err != nil {
		t.Fatal(err)
	}
	for _, words := range []string{"messages: sent, acknowledged, refused, lost", "100, 98, 1, 1", "50, 48, 2, 1"} {
		if !strings.Contains(page.String(), words) {
			t.Errorf("the page does not say %q", words)
		}
	}
	if err := WriteTable(&table, a, b); err != nil {
		t.Fatal(err)
	}
	for _, words := range []string{"messages lost", "5 (5.00)", "fan-out p99"} {
		if !strings.Contains(table.String(), words) {
			t.Errorf("the comparison does not say %q:\n%s", words, &table)
		}
	}
	var overlaid []string
	for _, p := range picturesOf([]Run{a, b}) {
		overlaid = append(overlaid, p.file)
	}
	for _, file := range []string{"message-latency", "delivery-latency"} {
		if !slices.Contains(overlaid, file) {
			t.Errorf("a comparison has no %s", file)
		}
	}
}
