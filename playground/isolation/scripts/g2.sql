-- Anti-dependency cycle by a condition: each looks that there is no such row, and inserts one
create table test (id int primary key, value int);
insert into test values (1, 10), (2, 20);

T1: begin;
T2: begin;
T1: select * from test where value % 3 = 0;
T2: select * from test where value % 3 = 0;
T1: insert into test values (3, 30);
T2: insert into test values (4, 42);
T1: commit;
T2: commit;
