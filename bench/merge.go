package bench

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"
	"time"
)

// Part is one run of a merged result.
type Part struct {
	Seed    uint64    `json:"seed"`
	Started time.Time `json:"started"`
	WallS   float64   `json:"wall_s"`
	Clients int       `json:"clients"` // --conns
	Verdict Verdict   `json:"verdict"`
}

// ReadResult reads what WriteJSON wrote, to be merged. Another schema is an error, since its
// figures mean something else, and so is a field that this version does not know: a merge would
// lose it.
func ReadResult(in io.Reader) (*Result, error) {
	text, err := io.ReadAll(in)
	if err != nil {
		return nil, err
	}
	var head struct {
		Schema string `json:"schema"`
	}
	if err := json.Unmarshal(text, &head); err == nil && head.Schema != Schema {
		return nil, usagef("its schema is %q, and only results of %q can be merged", head.Schema, Schema)
	}
	var r Result
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&r); err != nil {
		return nil, usagef("not a result of this version of stormwheel bench: %w", err)
	}
	return &r, nil
}

// Merge makes one result of runs that several machines made together. Nothing is lost:
// counts, bins and histograms are added, percentiles are taken from the sums, the seconds
// are those of the clock. Rates are added. thresholds are judged beyond those of the parts,
// whose promises noPromises waives. The error is an ExitError, that of the verdict included; a
// result comes with that.
func Merge(parts []*Result, thresholds []string, noPromises bool, command []string) (*Result, error) {
	if err := mergeable(parts); err != nil {
		return nil, err
	}
	promises, asked := mergedThresholds(parts, true), mergedThresholds(parts, false)
	if noPromises {
		promises = nil
	}
	judged, err := thresholdsOf(promises, slices.Concat(asked, thresholds))
	if err != nil {
		return nil, err
	}
	out, err := mergeAll(parts, command)
	if err != nil {
		return nil, &ExitError{Code: ExitUsage, Err: err}
	}
	out.Promises = out.Promises && !noPromises
	// The parts have judged their own punctuality.
	if err := out.judge(judged, math.MaxInt64); err != nil {
		return nil, err
	}
	if out.Verdict == Invalid {
		return out, &ExitError{Code: ExitInvalid, Err: errors.New("invalid: " + *out.Generator.WhyInvalid)}
	}
	return out, exitOf(out)
}

// mergeable says in one sentence why the parts are not one experiment.
func mergeable(parts []*Result) error {
	if len(parts) < 2 {
		return usagef("one result needs no merge: name two or more")
	}
	first := parts[0]
	seeds := map[uint64]int{}
	for i, p := range parts {
		if p.Schema != Schema {
			return usagef("part %d is of the schema %q, and only results of %q can be merged", i+1, p.Schema, Schema)
		}
		if p.FindMax != nil {
			return usagef("part %d is a search, which finds one server's limit: there is nothing to add up", i+1)
		}
		for _, seed := range p.seeds() {
			switch j, seen := seeds[seed]; {
			case seen && j == i:
				return usagef("part %d has the seed %d twice: that is the same clients twice", i+1, seed)
			case seen:
				return usagef("parts %d and %d have the same seed %d: that is the same clients twice; give each machine its own --seed", j+1, i+1, seed)
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
				return usagef("parts 1 and %d are not one experiment: %s %q and %q", i+1, same.what, same.one, same.other)
			}
		}
		if what := first.Load.differs(p.Load); what != "" {
			return usagef("parts 1 and %d are not one experiment: %s", i+1, what)
		}
		if limit := limitOfOne(first, p); limit != "" {
			return usagef("parts 1 and %d were not judged alike: only one of them has a limit on %s", i+1, limit)
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
			if t, err := ParseThreshold(seen.Expr); err == nil {
				n[strings.Join(t.path, ".")]++
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

// mergedThresholds are those of the parts, their promises or what else was asked for. A limit on
// something that is added up is added up too, if each part has one: 500 clients each are 1000
// together.
func mergedThresholds(parts []*Result, promises bool) []string {
	type limit struct {
		path, op string
		nth      int // of those of its part
	}
	var order []limit
	sums, counts, others := map[limit]float64{}, map[limit]int{}, []string{}
	for _, p := range parts {
		nth := map[string]int{}
		for _, seen := range p.Thresholds {
			if seen.Promise != promises {
				continue
			}
			t, err := ParseThreshold(seen.Expr)
			if path := strings.Join(t.path, "."); err == nil && addsUp(path) {
				l := limit{path, t.op, nth[path+t.op]}
				nth[path+t.op]++
				if counts[l] == 0 {
					order = append(order, l)
				}
				counts[l]++
				sums[l] += t.want
			} else if !slices.Contains(others, seen.Expr) {
				others = append(others, seen.Expr)
			}
		}
	}
	var all []string
	for _, l := range order {
		if counts[l] == len(parts) {
			all = append(all, fmt.Sprintf("%s%s%s", l.path, l.op, number(new(sums[l]))))
		}
	}
	return append(all, others...)
}
