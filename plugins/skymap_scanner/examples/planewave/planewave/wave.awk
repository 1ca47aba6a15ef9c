# The formula of wave.py. Reads a pixel (JSON) and the event's hits (CSV), writes the answer (JSON) to the file `out`.

FNR == NR {
    zenith = number("zenith"); azimuth = number("azimuth")
    px = -sin(zenith) * cos(azimuth); py = -sin(zenith) * sin(azimuth); pz = -cos(zenith)
    FS = ","
    next
}
FNR > 1 {
    passes[++n] = $6 - ($3 * px + $4 * py + $5 * pz) / 0.299792458
    sum += passes[n]
}
END {
    time = sum / n
    for (i = 1; i <= n; i++) squares += (passes[i] - time) ^ 2
    printf "{\"llh\": %.17g, \"vertex\": {\"x\": 0.0, \"y\": 0.0, \"z\": 0.0, \"time\": %.17g}}\n", \
        squares / (2 * 300 ^ 2), time > out
}

function number(key) {
    match($0, "\"" key "\": *[-+.eE0-9]+")
    return substr($0, RSTART + length(key) + 3, RLENGTH - length(key) - 3) + 0
}
