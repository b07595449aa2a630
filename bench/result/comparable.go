package result

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// Comparable says in sentences what a comparison of results may say, and what not. names are theirs.
func Comparable(names []string, all []*Result) (sentences []string) {
	for i, r := range all {
		switch {
		case r.Old():
			sentences = append(sentences, fmt.Sprintf("%s is of %s: its PINGs without an answer are not counted, and its other figures may mean something else than those of %s.", names[i], r.Schema, Schema))
		case r.Verdict == Invalid:
			why := "invalid"
			if r.Generator.WhyInvalid != nil {
				why = *r.Generator.WhyInvalid
			}
			sentences = append(sentences, fmt.Sprintf("The figures of %s do not count, so nothing may be compared with them: %s.", names[i], why))
		case r.Interrupted:
			sentences = append(sentences, fmt.Sprintf("%s was cut short: its figures cover what ran.", names[i]))
		}
	}
	counts := !slices.ContainsFunc(all, func(r *Result) bool { return r.Verdict == Invalid })
	if words := differences(all, counts); words != "" && (len(sentences) == 0 || words != alikeWords) {
		sentences = append(sentences, words)
	}
	if short, long := lengths(all); counts && long > short*1.2 {
		sentences = append(sentences, fmt.Sprintf("They took %.0f to %.0f s: compare rates, shares and percentiles, and neither counts nor maxima.", short, long))
	}
	return sentences
}

const alikeWords = "Load, version and machine are the same: they may be compared, and how they differ is chance, or what else the machine did."

// differences is the sentence on what is not the same; where not all figures count it draws no conclusion.
func differences(all []*Result, counts bool) string {
	if kinds := values(all, func(r *Result) string { return strings.TrimSpace(r.Scenario + " " + stormKind(r)) }); len(kinds) > 1 {
		return "These are different experiments, " + listed(kinds) + ": what they have in common stands side by side, and says nothing of each other."
	}
	var different []string
	for _, f := range conditions {
		if seen := values(all, f.of); len(seen) > 1 {
			different = append(different, f.name+" ("+listed(seen)+")")
		}
	}
	switch {
	case !counts && len(different) == 0:
		return ""
	case !counts:
		return "They also differ in " + listed(different) + "."
	case len(different) == 0:
		return alikeWords
	case len(different) == 1:
		return "They differ in " + different[0] + " alone: they may be compared, and how they differ is due to that, or to chance."
	default:
		return "They differ in " + listed(different) + ": what they have come to may be compared, but not to which of these it is due."
	}
}

// stormKind is empty without a storm.
func stormKind(r *Result) string {
	if r.Storm == nil {
		return ""
	}
	return r.Storm.Kind
}

// condition is something that the figures depend on.
type condition struct {
	name string
	of   func(*Result) string
}

// conditions are what was asked for, by whom and where.
var conditions = slices.Concat([]condition{
	{"clients", func(r *Result) string { return fmt.Sprint(r.Conns.Target) }},
	{"servers", func(r *Result) string { return fmt.Sprint(len(r.Server)) }},
	{"terms of the nodes", func(r *Result) string { return r.Terms.words() }},
}, loadConditions(), []condition{
	{"version", func(r *Result) string { return r.Build.Version }},
	{"Go", func(r *Result) string { return r.Build.Go }},
	{"kernel", func(r *Result) string { return r.Build.Kernel }},
	{"machine", func(r *Result) string { return fmt.Sprintf("%s, %d processors", r.Build.Processor, r.Build.CPUs) }},
	{"processes of the load test", func(r *Result) string { return fmt.Sprint(r.Generator.Workers) }},
})

// loadConditions are the fields of Load.
func loadConditions() (all []condition) {
	t := reflect.TypeFor[Load]()
	for i := range t.NumField() {
		all = append(all, condition{jsonName(t.Field(i)), func(r *Result) string {
			return shown(reflect.ValueOf(r.Load).Field(i).Interface())
		}})
	}
	return all
}

// values are those that differ, in their order.
func values(all []*Result, of func(*Result) string) (seen []string) {
	for _, r := range all {
		if v := of(r); !slices.Contains(seen, v) {
			seen = append(seen, v)
		}
	}
	return seen
}

func listed(words []string) string {
	if len(words) == 1 {
		return words[0]
	}
	return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}

// lengths are the shortest and the longest time that one took.
func lengths(all []*Result) (short, long float64) {
	short, long = all[0].WallS, all[0].WallS
	for _, r := range all {
		short, long = min(short, r.WallS), max(long, r.WallS)
	}
	return short, long
}
