/* What the system says of this process: memory, processor time, start. */
#ifndef APP_PROCESS_METRICS_H
#define APP_PROCESS_METRICS_H

/* Once, at the start. */
void process_metrics_init(void);
/* Reads them as they are now. */
void process_metrics_update(void);

#endif
