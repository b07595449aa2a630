package tally

import (
	"cmp"
	"slices"
	"time"

	"github.com/stormwheel/stormwheel/bench/result"
)

// soakQuarter is how many readings a quarter must have.
const soakQuarter = 2

// ShortestSoak has the readings that its quarters need: one a second, some of them late.
const ShortestSoak = 4 * (soakQuarter + 1) * time.Second

// mergeSoaks: what grew most tells. A figure that one of the parts lacks is null.
func mergeSoaks(parts []*result.Result) *result.Soak {
	out := *parts[0].Soak
	for _, p := range parts[1:] {
		for _, pair := range []struct{ most, other **float64 }{
			{&out.RSSGrowth, &p.Soak.RSSGrowth}, {&out.FDsGrowth, &p.Soak.FDsGrowth},
			{&out.CPUGrowth, &p.Soak.CPUGrowth}, {&out.RTTp99Growth, &p.Soak.RTTp99Growth},
		} {
			if *pair.most == nil || *pair.other == nil {
				*pair.most = nil
			} else if **pair.other > **pair.most {
				*pair.most = *pair.other
			}
		}
	}
	return &out
}

// Growth compares the seconds of a soak from one time to another.
func Growth(seconds []result.Second, from, to time.Duration) *result.Soak {
	quarter := func(n int) (part []result.Second) {
		begin := from + time.Duration(n-1)*(to-from)/4
		for _, s := range seconds {
			if at := time.Duration(s.T * float64(time.Second)); at > begin && at <= begin+(to-from)/4 {
				part = append(part, s)
			}
		}
		return part
	}
	second, last := quarter(2), quarter(4)
	growth := func(figure func(result.Second) *float64) *float64 {
		before, after := medianOf(second, figure), medianOf(last, figure)
		if before == nil || after == nil || *before == 0 {
			return nil
		}
		return new(*after / *before - 1)
	}
	// Processor time is a sum: its growth is that of its differences.
	cpu := make(map[float64]*float64, len(seconds))
	for i, s := range seconds {
		if i > 0 {
			now, before := totalOf(s, cpuOf), totalOf(seconds[i-1], cpuOf)
			if now != nil && before != nil {
				cpu[s.T] = new((*now - *before) / (s.T - seconds[i-1].T))
			}
		}
	}
	return &result.Soak{
		RSSGrowth: growth(func(s result.Second) *float64 {
			return totalOf(s, func(one result.ServerSecond) *float64 { return floatOf(one.RSSBytes) })
		}),
		FDsGrowth: growth(func(s result.Second) *float64 {
			return totalOf(s, func(one result.ServerSecond) *float64 { return floatOf(one.FDs) })
		}),
		CPUGrowth:    growth(func(s result.Second) *float64 { return cpu[s.T] }),
		RTTp99Growth: growth(func(s result.Second) *float64 { return s.RTTp99 }),
	}
}

func cpuOf(s result.ServerSecond) *float64 { return s.CPUS }

func floatOf[T int | int64](n *T) *float64 {
	if n == nil {
		return nil
	}
	return new(float64(*n))
}

// totalOf is a figure of all servers; nil if one does not have it.
func totalOf(s result.Second, figure func(result.ServerSecond) *float64) *float64 {
	sum := 0.0
	for _, one := range s.Servers {
		v := figure(one)
		if v == nil {
			return nil
		}
		sum += *v
	}
	if len(s.Servers) == 0 {
		return nil
	}
	return &sum
}

// medianOf is nil if there are too few readings.
func medianOf(seconds []result.Second, figure func(result.Second) *float64) *float64 {
	var all []float64
	for _, s := range seconds {
		if v := figure(s); v != nil {
			all = append(all, *v)
		}
	}
	if len(all) < soakQuarter {
		return nil
	}
	slices.SortFunc(all, cmp.Compare)
	return &all[len(all)/2]
}
