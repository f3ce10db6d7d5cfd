/* agreement.h - what the ranks of a training run must have in common, or they would not do what one process does. All ranks
   call all of it; whatever differs ends the program, with the name of a rank that differs. */
#ifndef AGREEMENT_H
#define AGREEMENT_H

#include "../data/dataset.h"
#include "trainer.h"

/* Ends the program if the batch has not enough work for all; threads 0: as many as it has. */
void agree_on_work(const trainer_config *config, int threads);

void agree_on_settings(const trainer_config *config); /* and the instruction set */

/* Number, size, labels and checksum of all pictures; of endless ones, of some. */
void agree_on_data(const dataset *d);

void agree_on_state(const trainer *t); /* to the bit */

#endif
