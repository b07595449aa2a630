package plot

// key is one entry of the legend.
type key struct {
	label string
	class string // of the swatch
	dash  Dash
	fills bool // the swatch is an area, not a line
	x     float64
	row   int
}

const swatch = 26.0

// keys places the legend, from left to right and on as many rows as it takes.
func (p Picture) keys(width float64) (keys []key, rows int) {
	x := margin
	for _, l := range p.Layers {
		k := l.key()
		if _, line := l.(Line); k.label == "" || line && p.Beside {
			continue
		}
		k.label = short(k.label, lettersIn(width-swatch-24, letter))
		need := swatch + 8 + breadth(k.label) + 16
		if len(keys) == 0 {
			rows = 1
		} else if x+need > width-margin {
			x, rows = margin, rows+1
		}
		k.x, k.row = x, rows-1
		keys = append(keys, k)
		x += need
	}
	return keys, rows
}

func (k key) paint(c *canvas, top float64) {
	y := top + float64(k.row)*lineHeight
	if k.fills {
		c.rectangle(k.class, k.x, y-8, k.x+swatch, y+2)
	} else {
		c.line(k.class, k.dash, k.x, y-4, k.x+swatch, y-4)
	}
	c.text("key", k.x+swatch+8, y, k.label)
}
