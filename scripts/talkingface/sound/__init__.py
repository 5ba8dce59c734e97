"""Features of the clips' sound: MFCC, log-mel, hidden states of speech networks."""
