package report

import (
	"fmt"
	"slices"

	"github.com/stormwheel/stormwheel/bench/result"
	"github.com/stormwheel/stormwheel/internal/plot"
)

// latencies are the p99 of each second, those of messages beside those of heartbeats: when it went
// wrong, and for whom.
func latencies(r Run) plot.Chart {
	if r.Result.Messages == nil {
		return nil
	}
	var layers []plot.Layer
	least, top := 0.0, 0.0
	came := comes(r)
	for i, of := range []struct {
		label  string
		figure func(result.Second) *float64
	}{
		{"messages, from due time to the answer", func(s result.Second) *float64 { return s.MessageP99 }},
		{came + ", from due time to the client", func(s result.Second) *float64 { return s.DeliverP99 }},
		{"heartbeats, from the write", func(s result.Second) *float64 { return s.RTTp99 }},
	} {
		points := r.series(func(_ int, s result.Second) *float64 { return of.figure(s) })
		if !visible(points) {
			continue
		}
		for _, p := range points {
			if plot.Drawable(p.Y) && p.Y > 0 && (least == 0 || p.Y < least) {
				least = p.Y
			}
		}
		top = max(top, most(points))
		layers = append(layers, plot.Line{Label: of.label, Colour: i, Dash: plot.DashOf(i), Points: points, Dots: dotted(points)})
	}
	if len(layers) == 0 {
		return nil
	}
	p := plot.Picture{Title: "Latency over time", Note: "p99 of what was answered, or came, in each second; a gap is a second without any",
		X: r.timeAxis(), Y: plot.Logarithmic("ms (logarithmic)", least, top)}
	p.Layers = slices.Concat(r.away(), layers)
	if t0 := r.Result.Detail.StormAtS; t0 != nil {
		p.Layers = append(p.Layers, r.blow(*t0)...)
	}
	return p
}

// away shades the time from the blow until all clients were back, on the clock of the seconds.
func (r Run) away() []plot.Layer {
	s, t0 := r.Result.Storm, r.Result.Detail.StormAtS
	if s == nil || t0 == nil || deref(s.T100S) == 0 {
		return nil
	}
	return []plot.Layer{plot.Shade{Label: "until all were back", From: *t0, To: *t0 + *s.T100S}}
}

// traffic is what was sent, and what came of it, in each second.
func traffic(r Run) plot.Chart {
	if r.Result.Messages == nil {
		return nil
	}
	var lines [][]plot.Point
	p := plot.Picture{Title: "Messages", Note: messagesNote(r), X: r.timeAxis()}
	p.Layers = r.away()
	came := comes(r)
	for i, of := range []struct {
		label  string
		figure func(result.Second) int
	}{
		{"sent", func(s result.Second) int { return s.Sent }},
		{"acknowledged", func(s result.Second) int { return s.Acknowledged }},
		{came + " delivered", func(s result.Second) int { return s.Delivered }},
		{came + " undelivered", func(s result.Second) int { return s.Undelivered }},
	} {
		points := r.series(func(_ int, s result.Second) *float64 { return count(of.figure(s)) })
		if most(points) > 0 {
			lines = append(lines, points)
			p.Layers = append(p.Layers, plot.Line{Label: of.label, Colour: i, Dash: plot.DashOf(i), Points: during(points), Steps: true})
		}
	}
	if len(lines) == 0 {
		return nil
	}
	p.Y = plot.FromZero("per second", 0, most(lines...))
	if t0 := r.Result.Detail.StormAtS; t0 != nil {
		p.Layers = append(p.Layers, r.blow(*t0)...)
	}
	return p
}

// comes is what clients get.
func comes(r Run) string {
	if r.Result.Scenario == result.Talk {
		return "copies"
	}
	return "publications"
}

func messagesNote(r Run) (note string) {
	m := r.Result.Messages
	if m.Sent > 0 {
		note = fmt.Sprintf("%s sent, %s acknowledged, %s refused, %s lost", whole(m.Sent), whole(m.Acknowledged), whole(m.Refused), whole(m.Lost))
	}
	if m.Published > 0 {
		if note != "" {
			note += "; "
		}
		note += fmt.Sprintf("%s %s, %s undelivered", whole(m.Published), comes(r), whole(m.Undelivered))
	}
	if r.Result.Scenario == result.Talk {
		note += fmt.Sprintf("; %s durable, %s held, %s held and lost", whole(m.Durable), whole(m.Held), whole(m.HeldLost))
	}
	return note
}

// messageLatencies is the whole of the distributions.
func messageLatencies(r Run) plot.Chart {
	if r.Result.Messages == nil {
		return nil
	}
	all := []struct {
		label string
		dist
	}{
		{"messages, from due time to the answer", r.distribution("messages", toMs)},
		{"the same, from the write", r.distribution("messages_wire", toMs)},
		{comes(r) + ", from due time to the client", r.distribution("deliveries", toMs)},
		{"two ticks, from due time to their sender", r.distribution("confirmations", toMs)},
	}
	var layers []plot.Layer
	var dists []dist
	for i, d := range all {
		if d.total > 0 {
			layers = append(layers, plot.Line{Label: d.label, Points: d.spectrum(), Colour: i, Dash: plot.DashOf(i)})
			dists = append(dists, d.dist)
		}
	}
	if len(layers) == 0 {
		return nil
	}
	slices.SortStableFunc(dists, func(a, b dist) int { return int(b.total - a.total) })
	p := spectrum("Latency of messages", messagesNote(r), dists...)
	p.Layers = layers
	return p
}

// messages has their figures.
func (t *figures) messages(m *result.Messages) {
	if m.Sent > 0 {
		t.add("messages: sent, acknowledged, refused, lost", "", whole(m.Sent), whole(m.Acknowledged), whole(m.Refused), whole(m.Lost))
	}
	t.quantiles("message from the due time to the answer", m.LatencyMs, .01)
	t.quantiles("message from the write to the answer", m.WireLatencyMs, .01)
	if m.Durable+m.Held+m.Confirmed > 0 { // users talked
		t.add("messages: durable first, held first, held and lost, with two ticks", "", whole(m.Durable), whole(m.Held), whole(m.HeldLost), whole(m.Confirmed))
		t.add("copies: to addressees, delivered, undelivered", "", whole(m.Published), whole(m.Delivered), whole(m.Undelivered))
		t.quantiles("copy from the due time to the addressee", m.DeliverLatencyMs, .01)
		t.quantiles("message from the due time to two ticks", m.ConfirmLatencyMs, .01)
	} else if m.Published > 0 {
		t.add("publications: due to clients, delivered, undelivered, of those while offline", "", whole(m.Published), whole(m.Delivered), whole(m.Undelivered), whole(m.Offline))
		t.quantiles("publication from the due time to the client", m.DeliverLatencyMs, .01)
	}
	if m.Doubled > 0 {
		t.add("messages that came twice, or may have", "", whole(m.Doubled))
	}
}

func messageOverlay(runs []Run) plot.Chart {
	return spectrumOverlay(runs, "Latency of messages", "from the due time to the answer", "messages")
}

func deliveryOverlay(runs []Run) plot.Chart {
	return spectrumOverlay(runs, "Latency of publications", "from the due time to the client", "deliveries")
}
