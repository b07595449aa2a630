package tally

import (
	"math"
	"slices"
	"time"

	"github.com/stormwheel/stormwheel/bench/result"
)

// waitingShare: the goodput of a storm is judged while one in so many of its clients waits.
// The last few may be in a wait that was drawn for them, and the pause before them is nobody's.
const waitingShare = 20

const binsPerSecond = int(time.Second / attemptBin)

// flow fills in what can be told from the begins and ends of outages, in bins of attemptBin.
func flow(s *result.Storm, lost, back []uint32) {
	if s.OutageS == nil {
		return
	}
	first := int(math.Ceil(*s.OutageS*float64(binsPerSecond) - 1e-6))
	waiting, gap, longest := 0, 0, 0
	var seconds, part []uint32
	for i := range max(len(lost), len(back)) {
		n := 0
		if i < len(back) {
			n = int(back[i])
		}
		// Who is lost within a bin begins to wait with the next.
		if many := waiting > 0 && waiting*waitingShare >= s.Clients; i >= first && many {
			if part = append(part, uint32(n)); len(part) == binsPerSecond {
				seconds, part = append(seconds, sumOfBins(part)), nil
			}
			if gap++; n > 0 {
				gap = 0
			}
			longest = max(longest, gap)
		} else {
			gap, part = 0, nil
		}
		if i < len(lost) {
			waiting += int(lost[i])
		}
		waiting -= n
	}
	s.LongestGapS = new((time.Duration(longest) * attemptBin).Seconds())
	if len(seconds) == 0 {
		return
	}
	slices.Sort(seconds)
	s.GoodputPerS = &result.Goodput{Best: float64(seconds[len(seconds)-1]), Median: float64(seconds[len(seconds)/2])}
}

func sumOfBins(bins []uint32) (sum uint32) {
	for _, n := range bins {
		sum += n
	}
	return sum
}
