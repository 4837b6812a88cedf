package jinja

import "time"

var noon = time.Date(2024, 7, 26, 12, 30, 5, 0, time.UTC)
