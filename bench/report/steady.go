package report

// roundTrips is the whole of the distribution, its tail as wide as its middle.
func roundTrips(r Run) (picture, bool) {
	due, wire := r.distribution("rtt_intended", toMs), r.distribution("rtt", toMs)
	p := spectrum("rtt", "Heartbeat round trips", whole(int(wire.total))+" round trips", due, wire)
	p.layers = append(p.layers, line{label: "from the moment it was due", points: due.spectrum()})
	if wire.total > 0 {
		p.layers = append(p.layers, line{label: "from its write", points: wire.spectrum(), colour: 1, dash: dashes[1]})
	}
	return p, due.total > 0
}

// connects is how long clients waited to be let in.
func connects(r Run) (picture, bool) {
	d := r.distribution("connect_intended", toMs)
	p := spectrum("connect", "From the intended arrival to WELCOME", whole(int(d.total))+" arrivals", d)
	p.layers = []layer{line{points: d.spectrum()}}
	return p, d.total > 0
}

// spectrum is a picture for distributions, the first of which is never shorter.
func spectrum(file, title, what string, all ...dist) picture {
	top := 0.0
	for _, d := range all {
		top = max(top, d.max())
	}
	return picture{file: file, title: title, note: what + ", by percentile; each step to the right has a tenth of them left",
		x: percentiles(all[0].total), y: logarithmic("ms (logarithmic)", least(all...), top)}
}

// least is the smallest value above 0.
func least(all ...dist) float64 {
	small := 0.0
	for _, d := range all {
		for _, b := range d.bins {
			if b.to > 0 {
				if small == 0 || b.to < small {
					small = b.to
				}
				break
			}
		}
	}
	return small
}
