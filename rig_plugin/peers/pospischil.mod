TITLE Sodium, delayed-rectifier and M currents and the leak
COMMENT
Pospischil et al. (2008), Biol. Cybern. 99, 427-441, https://doi.org/10.1007/s00422-008-0263-8
ENDCOMMENT
NEURON {
  SUFFIX pospischil
  NONSPECIFIC_CURRENT i
  RANGE gNa, gK, gM, taumax, VT, gleak, Eleak, ENa, EK
}
UNITS { (mV) = (millivolt) (mA) = (milliamp) (S) = (siemens) }
PARAMETER {
  gNa = 0.05 (S/cm2) gK = 0.005 (S/cm2) gM = 7e-5 (S/cm2) taumax = 600 (ms)
  VT = -60 (mV) gleak = 1e-4 (S/cm2) Eleak = -70 (mV) ENa = 53 (mV) EK = -107 (mV)
}
ASSIGNED { v (mV) i (mA/cm2) am bm ah bh an bn pinf ptau }
STATE { m h n p }
BREAKPOINT {
  SOLVE gates METHOD cnexp
  i = gNa*m*m*m*h*(v - ENa) + (gK*n*n*n*n + gM*p)*(v - EK) + gleak*(v - Eleak)
}
INITIAL {
  rates(v)
  m = am/(am + bm)
  h = ah/(ah + bh)
  n = an/(an + bn)
  p = pinf
}
DERIVATIVE gates {
  rates(v)
  m' = am*(1 - m) - bm*m
  h' = ah*(1 - h) - bh*h
  n' = an*(1 - n) - bn*n
  p' = (pinf - p)/ptau
}
FUNCTION vtrap(x, y) {
  if (fabs(x/y) < 1e-6) { vtrap = y*(1 - x/y/2) } else { vtrap = x/(exp(x/y) - 1) }
}
PROCEDURE rates(v (mV)) {
  LOCAL u, w
  u = v - VT
  am = 0.32*vtrap(13 - u, 4)
  bm = 0.28*vtrap(u - 40, 5)
  ah = 0.128*exp((17 - u)/18)
  bh = 4/(1 + exp((40 - u)/5))
  an = 0.032*vtrap(15 - u, 5)
  bn = 0.5*exp((10 - u)/40)
  w = exp((v + 35)/20)
  pinf = 1/(1 + exp(-(v + 35)/10))
  ptau = taumax/(3.3*w + 1/w)
}
