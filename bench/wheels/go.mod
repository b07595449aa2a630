module github.com/stormwheel/stormwheel/bench/wheels

go 1.26.0

require (
	github.com/RussellLuo/timingwheel v0.0.0-20220218152713-54845bda3108
	github.com/stormwheel/stormwheel v0.0.0
)

require golang.org/x/sys v0.48.0

replace github.com/stormwheel/stormwheel => ../..
