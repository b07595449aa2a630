package tally

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/stormwheel/stormwheel/bench/result"
)

// clock lays the seconds of parts over each other.
type clock struct {
	parts []*result.Result
	start time.Time
	base  int64                   // the second of the clock in which it starts
	rows  []map[int]result.Second // of each part, by the second of the clock
	last  int
}

// mergeSeconds adds the seconds of the clock: rates are summed, and a part that has no row
// for a second, or has ended, counts with its last state.
func mergeSeconds(out *result.Result, parts []*result.Result) {
	c := clock{parts: parts, start: out.Started, base: out.Started.Unix()}
	out.Conns.Peak = out.Conns.End // the parts' own peaks need not be at one time
	for _, p := range parts {
		c.rows = append(c.rows, c.lay(p))
		out.Conns.Peak = max(out.Conns.Peak, p.Conns.Peak)
		if p.Detail.StormAtS != nil {
			t0 := p.Started.Sub(out.Started).Seconds() + *p.Detail.StormAtS
			if d := &out.Detail; d.StormAtS == nil || t0 < *d.StormAtS {
				d.StormAtS = &t0
			}
		}
	}
	out.Detail.Seconds = c.sum()
	for _, s := range out.Detail.Seconds {
		out.Conns.Peak = max(out.Conns.Peak, s.Ready)
	}
}

// lay has the rows of a part by the second of the clock that they end nearest to.
func (c *clock) lay(p *result.Result) map[int]result.Second {
	rows := map[int]result.Second{}
	offset := p.Started.Sub(time.Unix(c.base, 0)).Seconds()
	for _, s := range p.Detail.Seconds {
		k := int(math.Round(offset + s.T))
		if earlier, twice := rows[k]; twice { // the row before came late
			addRates(&s, &earlier)
		}
		rows[k] = s
		c.last = max(c.last, k)
	}
	return rows
}

// sum is a row for every second of which one of the parts has one.
func (c *clock) sum() (all []result.Second) {
	states := make([]result.Second, len(c.parts))
	for i, p := range c.parts { // nothing is known of a node before its first row
		if len(p.Detail.Seconds) > 0 {
			states[i].Servers = make([]result.ServerSecond, len(p.Detail.Seconds[0].Servers))
		}
	}
	for k := 0; k <= c.last; k++ {
		sum, any := result.Second{Counts: map[string]int{}, Histograms: map[string]string{}, T: time.Unix(c.base+int64(k), 0).Sub(c.start).Seconds()}, false
		for i, rows := range c.rows {
			s, present := rows[k]
			if !present {
				s = idle(&states[i])
			}
			any = any || present
			states[i] = s
			addSecond(&sum, &s)
		}
		if any {
			all = append(all, sum)
		}
	}
	return all
}

// idle is the state of a second in which nothing was counted.
func idle(s *result.Second) result.Second {
	return result.Second{Counts: map[string]int{}, Histograms: map[string]string{}, Ready: s.Ready, Unanswered: s.Unanswered, Muted: s.Muted, Evicted: s.Evicted, Early: s.Early, False: s.False,
		StormClients: s.StormClients, StormBack: s.StormBack, Servers: s.Servers}
}

// addRates adds what was counted within another row of the same second.
func addRates(s, o *result.Second) {
	s.AddCounts(o)
	s.Histograms = addTimes(s, o)
	s.Span += o.Span
	s.Lost += o.Lost
	s.Attempts += o.Attempts
	s.Established += o.Established
	s.Failed += o.Failed
	s.Goodput += o.Goodput
	s.Pings += o.Pings
	s.Pongs += o.Pongs
	s.RTTp50, s.RTTp99 = larger(s.RTTp50, o.RTTp50), larger(s.RTTp99, o.RTTp99)
	s.RTTMax, s.LateP99 = larger(s.RTTMax, o.RTTMax), larger(s.LateP99, o.LateP99)
	s.GeneratorCPUS, s.MachineCPUS, s.StolenS = plus(s.GeneratorCPUS, o.GeneratorCPUS), plus(s.MachineCPUS, o.MachineCPUS), plus(s.StolenS, o.StolenS)
	s.Sent += o.Sent
	s.Acknowledged += o.Acknowledged
	s.Delivered += o.Delivered
	s.Undelivered += o.Undelivered
	s.Handshakes += o.Handshakes
	s.HandshakesFailed += o.HandshakesFailed
	s.HandshakeP50, s.HandshakeP99 = larger(s.HandshakeP50, o.HandshakeP50), larger(s.HandshakeP99, o.HandshakeP99)
	s.MessageP50, s.MessageP99 = larger(s.MessageP50, o.MessageP50), larger(s.MessageP99, o.MessageP99)
	s.DeliverP50, s.DeliverP99 = larger(s.DeliverP50, o.DeliverP50), larger(s.DeliverP99, o.DeliverP99)
}

// addSecond adds another part's row of the same second.
func addSecond(s, o *result.Second) {
	span := max(s.Span, o.Span) // they are one second
	addRates(s, o)
	s.Span = span
	s.Ready += o.Ready
	s.Unanswered += o.Unanswered
	s.Muted += o.Muted
	s.Evicted += o.Evicted
	s.Early += o.Early
	s.False += o.False
	s.StormClients += o.StormClients
	s.StormBack += o.StormBack
	s.Servers = slices.Concat(s.Servers, o.Servers)
}

// plus is the sum of what is known.
func plus(a, b *float64) *float64 {
	if a == nil || b == nil {
		return cmp.Or(a, b)
	}
	return new(*a + *b)
}

func larger(a, b *float64) *float64 {
	if a == nil || b != nil && *b > *a {
		return b
	}
	return a
}
