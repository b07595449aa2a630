package bench

import (
	"math"
	"strconv"
	"strings"

	"github.com/stormwheel/stormwheel/internal/link"
)

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
