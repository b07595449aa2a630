package result

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A meter is what a figure comes to, second by second.
type meter interface {
	// take adds a second; before is the one before it, nil of the first of a run. The error says that it
	// does not tell.
	take(before, s *Second) error
	// total is the figure of all seconds taken, latest that of the last one; nil: there is none.
	total() *float64
	latest() *float64
	// sums: it is a count, which begins at 0 and grows.
	sums() bool
}

// meterOf is nil for a figure that is not told second by second.
func meterOf(path []string) meter {
	whole, last := strings.Join(path, "."), path[len(path)-1]
	switch whole {
	case "connect.rate_per_s":
		return &rate{of: func(s *Second) int { return s.Established }}
	case "handshake.per_s":
		return &rate{of: func(s *Second) int { return s.Handshakes }}
	case "handshake.ended":
		return &tallied{of: func(s *Second) (int, bool) { return s.Handshakes, true }}
	case "handshake.failed":
		return &tallied{of: func(s *Second) (int, bool) { return s.HandshakesFailed, true }}
	case "conns.end":
		return &reading{of: ready}
	case "conns.peak":
		return &reading{of: ready, most: true}
	}
	if slices.Contains(countPaths, whole) {
		return &tallied{of: func(s *Second) (int, bool) { return s.count(whole) }}
	}
	if name := timesOf[strings.Join(path[:len(path)-1], ".")]; name != "" && quantiles[last] != 0 {
		return &quantile{name: name, percent: quantiles[last], all: NewTimes(), one: NewTimes()}
	}
	if path[0] == "server" && len(path) == 3 {
		return serverMeter(path[1], last)
	}
	return nil
}

func ready(s *Second) *float64 { return new(float64(s.Ready)) }

func serverMeter(index, field string) meter {
	i, err := strconv.Atoi(index)
	if err != nil {
		return nil
	}
	of := map[string]func(*ServerSecond) *float64{
		"rss_bytes": func(s *ServerSecond) *float64 { return floatOf(s.RSSBytes) },
		"conns":     func(s *ServerSecond) *float64 { return floatOf(s.Conns) },
		"fds":       func(s *ServerSecond) *float64 { return floatOf(s.FDs) },
		"cpu_s":     func(s *ServerSecond) *float64 { return s.CPUS },
	}[field]
	if of == nil {
		return nil
	}
	read := func(s *Second) *float64 {
		if i >= len(s.Servers) {
			return nil
		}
		return of(&s.Servers[i])
	}
	if field == "cpu_s" {
		return &spent{of: read}
	}
	return &reading{of: read, most: true}
}

func floatOf[T int | int64](n *T) *float64 {
	if n == nil {
		return nil
	}
	return new(float64(*n))
}

// errUntold is of results that were written before seconds told as much.
var errUntold = errors.New("the result is of an older version, whose seconds do not tell")

// tallied is a count.
type tallied struct {
	of       func(*Second) (int, bool)
	sum, one int
}

func (t *tallied) take(_, s *Second) error {
	n, told := t.of(s)
	if !told {
		return errUntold
	}
	t.sum, t.one = t.sum+n, n
	return nil
}

func (t *tallied) total() *float64  { return new(float64(t.sum)) }
func (t *tallied) latest() *float64 { return new(float64(t.one)) }
func (t *tallied) sums() bool       { return true }

// rate is a count by the time that it took.
type rate struct {
	of            func(*Second) int
	n, took       float64
	one, lastTook float64
}

func (r *rate) take(before, s *Second) error {
	r.one, r.lastTook = float64(r.of(s)), s.T
	if before != nil {
		r.lastTook -= before.T
	}
	r.n, r.took = r.n+r.one, r.took+r.lastTook
	return nil
}

func (r *rate) total() *float64  { return divided(r.n, r.took) }
func (r *rate) latest() *float64 { return divided(r.one, r.lastTook) }
func (r *rate) sums() bool       { return false }

func divided(n, by float64) *float64 {
	if by <= 0 {
		return nil
	}
	return new(n / by)
}

// reading is a state at the end of each second: the last one counts, or the greatest.
type reading struct {
	of        func(*Second) *float64
	most      bool
	all, last *float64
}

func (r *reading) take(_, s *Second) error {
	r.last = r.of(s)
	if !r.most || r.all == nil || r.last != nil && *r.last > *r.all {
		r.all = r.last
	}
	return nil
}

func (r *reading) total() *float64  { return r.all }
func (r *reading) latest() *float64 { return r.last }
func (r *reading) sums() bool       { return r.most }

// spent is what a reading that only grows grew by.
type spent struct {
	of   func(*Second) *float64
	sum  float64
	last *float64
}

func (p *spent) take(before, s *Second) error {
	p.last = p.of(s)
	if before != nil && p.last != nil {
		switch was := p.of(before); {
		case was == nil:
			p.last = nil
		case *was <= *p.last: // else it is another process by now
			p.last = new(*p.last - *was)
		}
	}
	if p.last != nil {
		p.sum += *p.last
	}
	return nil
}

func (p *spent) total() *float64  { return &p.sum }
func (p *spent) latest() *float64 { return p.last }
func (p *spent) sums() bool       { return true }

// quantile is one of the times.
type quantile struct {
	name     string
	percent  float64
	all, one *Times
}

func (q *quantile) take(_, s *Second) error {
	if s.Histograms == nil {
		return errUntold
	}
	q.one.Reset()
	if err := q.one.Add(s, q.name); err != nil {
		return err
	}
	q.all.AddAll(q.one)
	return nil
}

func (q *quantile) total() *float64  { return q.all.Ms(q.percent) }
func (q *quantile) latest() *float64 { return q.one.Ms(q.percent) }
func (q *quantile) sums() bool       { return false }

// spannable says which figures can have a span.
func spannable() string {
	return fmt.Sprintf("a span can have the counts of conns, connect, heartbeat, messages, eviction and churn that only grow, connect.rate_per_s, conns.end and peak, "+
		"the percentiles of heartbeat.rtt_ms, intended_rtt_ms and rtt_actual_ms, connect.latency_ms, messages.latency_ms, messages.deliver_latency_ms, handshake.latency_ms and generator.late_ms, handshake.ended, failed and per_s, and %s", "server.N.rss_bytes, cpu_s, conns and fds, scraped.NAME.min, mean, max and last")
}
