package bench

import (
	"math"
	"strconv"
	"strings"

	"github.com/stormwheel/stormwheel/internal/link"
)

// cohort is a share of the clients that have a reconnect policy in common.
type cohort struct {
	Policy link.Policy
	Share  int // in ten-thousandths
}

const wholeShare = 10_000

// parseCohorts reads "full:50%,fixed:50%".
func parseCohorts(text string) ([]cohort, error) {
	var all []cohort
	sum := 0
	for part := range strings.SplitSeq(text, ",") {
		name, share, _ := strings.Cut(strings.TrimSpace(part), ":")
		policy, err := link.ParsePolicy(name)
		percent, notNumber := strconv.ParseFloat(strings.TrimSuffix(share, "%"), 64)
		if err != nil || notNumber != nil || !strings.HasSuffix(share, "%") || !(percent > 0 && percent <= 100) {
			return nil, usagef("--cohorts: %q is not POLICY:SHARE%%, as in full:50%%; the policies are window, full, equal, decorrelated, fixed, exponential", part)
		}
		n := int(math.Round(percent * wholeShare / 100))
		all, sum = append(all, cohort{policy, n}), sum+n
	}
	if sum != wholeShare {
		return nil, usagef("--cohorts: the shares of %q add up to %g %%, not to 100", text, float64(sum)*100/wholeShare)
	}
	return all, nil
}

// cohort is the index of a client's cohort. On every node each has its share, to within a
// client.
func (c *swarmConfig) cohort(number int) int {
	left, of := c.Conns, wholeShare
	nodes := max(len(c.Endpoints), 1)
	// Deal one cohort after the other from those that are left; a client's place among them
	// takes the place of its number.
	at := number / nodes
	for node := range number % nodes {
		at += (c.Conns - node + nodes - 1) / nodes
	}
	for i, one := range c.Cohorts {
		k := (left*one.Share + of/2) / max(of, 1)
		before := at * k / max(left, 1)
		if (at+1)*k/max(left, 1) > before {
			return i
		}
		at, left, of = at-before, left-k, of-one.Share
	}
	return 0
}

// Cohort is what became of the clients of one policy in a storm.
type Cohort struct {
	Policy             string   `json:"policy"`
	Clients            int      `json:"clients"` // hit
	Back               int      `json:"back"`
	T50S               *float64 `json:"t50_s"`
	T95S               *float64 `json:"t95_s"`
	T99S               *float64 `json:"t99_s"`
	T100S              *float64 `json:"t100_s"`
	AttemptsPerSuccess *float64 `json:"attempts_per_success"`
	PeakAttemptsPerS   float64  `json:"peak_attempts_per_s"`
}

// cohorts are the parts of a storm, in the order of --cohorts.
func (p *plan) cohortsOf(t *tally) []Cohort {
	var all []Cohort
	for i, c := range p.cohorts {
		s := t.Cohorts[i].report(stormFacts{policy: c.Policy.String()})
		all = append(all, Cohort{s.Policy, s.Clients, s.Back, s.T50S, s.T95S, s.T99S, s.T100S, s.AttemptsPerSuccess, s.PeakAttemptsPerS})
	}
	return all
}

// cohortHistogram names the returns of a cohort in Detail.
func cohortHistogram(i int) string { return "return_" + strconv.Itoa(i) }

// linkConfigs are those of the cohorts, one for all if there are none.
func (c *swarmConfig) linkConfigs(base link.Config) []link.Config {
	if len(c.Cohorts) == 0 {
		return []link.Config{base}
	}
	var all []link.Config
	for _, one := range c.Cohorts {
		of := base
		of.Policy = one.Policy
		all = append(all, of)
	}
	return all
}
