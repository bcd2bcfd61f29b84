-- Read-only anomaly: two writers alone are in order, the report that a reader takes between them is not (Fekete and others, 2004)
create table test (id int primary key, value int);
insert into test values (1, 10), (2, 20);

T1: begin;
T2: begin;
T3: begin;
T1: select * from test;
T2: update test set value = value + 5 where id = 2;
T2: commit;
T3: select * from test;
T3: commit;
T1: update test set value = 0 where id = 1;
T1: commit;
