package scenario

import (
	"math"
	"strconv"
	"strings"

	"github.com/stormwheel/stormwheel/bench/result"
	"github.com/stormwheel/stormwheel/bench/swarm"
	"github.com/stormwheel/stormwheel/internal/link"
)

// parseCohorts reads "full:50%,fixed:50%".
func parseCohorts(text string) ([]swarm.Cohort, error) {
	var all []swarm.Cohort
	sum := 0
	for part := range strings.SplitSeq(text, ",") {
		name, share, _ := strings.Cut(strings.TrimSpace(part), ":")
		policy, err := link.ParsePolicy(name)
		percent, notNumber := strconv.ParseFloat(strings.TrimSuffix(share, "%"), 64)
		if err != nil || notNumber != nil || !strings.HasSuffix(share, "%") || !(percent > 0 && percent <= 100) {
			return nil, result.Usage("--cohorts: %q is not POLICY:SHARE%%, as in full:50%%; the policies are window, full, equal, decorrelated, fixed, exponential", part)
		}
		n := int(math.Round(percent * swarm.WholeShare / 100))
		all, sum = append(all, swarm.Cohort{Policy: policy, Share: n}), sum+n
	}
	if sum != swarm.WholeShare {
		return nil, result.Usage("--cohorts: the shares of %q add up to %g %%, not to 100", text, float64(sum)*100/swarm.WholeShare)
	}
	return all, nil
}

// Policies are those of the cohorts.
func (p *Plan) Policies() (all []string) {
	for _, c := range p.cohorts {
		all = append(all, c.Policy.String())
	}
	return all
}
