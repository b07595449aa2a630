package machine

// LocalPorts is how many ports one source address can connect from, to one target.
func LocalPorts() int {
	low, high := portRange()
	return high - low + 1
}

// FirstLocalPort is the lowest port that the kernel gives to whoever asks for any.
func FirstLocalPort() int {
	low, _ := portRange()
	return low
}
