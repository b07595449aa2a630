package epoll

// BatchEvents bounds how long the clock reading of a batch serves: that many reads are
// well below a millisecond.
const BatchEvents = 64
