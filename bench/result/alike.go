package result

import (
	"fmt"
	"maps"
	"slices"
)

// Alike says in one sentence why results are not parts of one experiment; nil if they are. The
// error is an ExitError.
func Alike(parts []*Result) error {
	if len(parts) < 2 {
		return Usage("one result needs no merge: name two or more")
	}
	first := parts[0]
	seeds := map[uint64]int{}
	for i, p := range parts {
		if p.Schema != Schema {
			return Usage("part %d is of the schema %q, and only results of %q can be merged", i+1, p.Schema, Schema)
		}
		if p.Handshake != nil {
			return Usage("part %d made handshakes, one after the other: there is nothing to add up", i+1)
		}
		if p.Repeats != nil {
			return Usage("part %d is one of several runs that were repeated: merge the results of the runs themselves", i+1)
		}
		if p.FindMax != nil {
			return Usage("part %d is a search, which finds one server's limit: there is nothing to add up", i+1)
		}
		for _, seed := range p.seeds() {
			switch j, seen := seeds[seed]; {
			case seen && j == i:
				return Usage("part %d has the seed %d twice: that is the same clients twice", i+1, seed)
			case seen:
				return Usage("parts %d and %d have the same seed %d: that is the same clients twice; give each machine its own --seed", j+1, i+1, seed)
			}
			seeds[seed] = i
		}
		for _, same := range []struct{ what, one, other string }{
			{"scenario", first.Scenario, p.Scenario},
			{"kind of storm", first.Storm.kind(), p.Storm.kind()},
			{"policy", first.Storm.policy(), p.Storm.policy()},
			{"terms of the nodes", first.Terms.words(), p.Terms.words()},
		} {
			if same.one != same.other {
				return Usage("parts 1 and %d are not one experiment: %s %q and %q", i+1, same.what, same.one, same.other)
			}
		}
		if what := first.Load.differs(p.Load); what != "" {
			return Usage("parts 1 and %d are not one experiment: %s", i+1, what)
		}
		if limit := limitOfOne(first, p); limit != "" {
			return Usage("parts 1 and %d were not judged alike: only one of them has a limit on %s", i+1, limit)
		}
	}
	return nil
}

func (r *Result) seeds() []uint64 {
	if len(r.Parts) == 0 {
		return []uint64{r.Seed}
	}
	var all []uint64
	for _, p := range r.Parts {
		all = append(all, p.Seed)
	}
	return all
}

func (s *Storm) kind() string {
	if s == nil {
		return "none"
	}
	return s.Kind
}

func (s *Storm) policy() string {
	if s == nil {
		return ""
	}
	return s.Policy
}

func (t *Terms) words() string {
	if t == nil {
		return "unknown"
	}
	return fmt.Sprintf("heartbeat %g ms, timeout %g ms, tick %g ms", t.HeartbeatMs, t.TimeoutMs, t.TickMs)
}

// limitOfOne names what only one of two parts has a limit on. In their sum such a limit would
// say nothing, or too much.
func limitOfOne(a, b *Result) string {
	limits := func(r *Result) map[string]int {
		n := map[string]int{}
		for _, seen := range r.Thresholds {
			if t, err := ParseThreshold(seen.Expr); err == nil && !seen.Abort {
				n[t.Figure()]++
			}
		}
		return n
	}
	in, other := limits(a), limits(b)
	for _, path := range slices.Sorted(maps.Keys(in)) {
		if other[path] == 0 {
			return path
		}
	}
	for _, path := range slices.Sorted(maps.Keys(other)) {
		if in[path] == 0 {
			return path
		}
	}
	return ""
}
