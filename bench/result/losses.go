package result

// Total is how many sessions ended.
func (l *Losses) Total() int {
	return l.Closed + l.Reset + l.Silence + l.GoAway + l.PongTimeout + l.Protocol + l.Cut
}

// Add takes what another loop, or run, has.
func (l *Losses) Add(o *Losses) {
	l.Closed += o.Closed
	l.Reset += o.Reset
	l.Silence += o.Silence
	l.GoAway += o.GoAway
	l.PongTimeout += o.PongTimeout
	l.Protocol += o.Protocol
	l.Cut += o.Cut
}

// Total is how many attempts failed.
func (f *Failures) Total() int {
	return f.Refused + f.Reset + f.Closed + f.ConnectTimeout + f.WelcomeTimeout + f.Busy + f.GoAway +
		f.Protocol + f.Ports + f.Descriptors + f.Memory + f.Other
}

// Add takes what another loop, or run, has.
func (f *Failures) Add(o *Failures) {
	f.Refused += o.Refused
	f.Reset += o.Reset
	f.Closed += o.Closed
	f.ConnectTimeout += o.ConnectTimeout
	f.WelcomeTimeout += o.WelcomeTimeout
	f.Busy += o.Busy
	f.GoAway += o.GoAway
	f.Protocol += o.Protocol
	f.Ports += o.Ports
	f.Descriptors += o.Descriptors
	f.Memory += o.Memory
	f.Other += o.Other
}
