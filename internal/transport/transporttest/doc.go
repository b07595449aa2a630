// Package transporttest checks stages: Check is what every one of them must pass, and Length and
// Header are two that are there for the tests of who drives stages.
package transporttest
