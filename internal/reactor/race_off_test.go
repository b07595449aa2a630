//go:build !race

package reactor_test

// underRace says that the race detector looks on.
const underRace = false
